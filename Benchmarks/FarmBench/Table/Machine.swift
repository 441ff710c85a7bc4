import Foundation
import Glibc

/// What the figures were measured on.
enum Machine {
    /// One line: when, processor, cores, memory, kernel, load.
    static var description: String {
        let date = Date().formatted(.iso8601.year().month().day().time(includingFractionalSeconds: false))
            .replacing("T", with: " ")
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let memory = Double(ProcessInfo.processInfo.physicalMemory) / Double(1 << 30)
        return "\(date) UTC, \(processor), \(cores) cores, \(Figure.text(memory)) GiB, Linux \(kernel); load \(load)"
    }

    private static var processor: String {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        let name = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last
        return name?.trimmingCharacters(in: .whitespaces) ?? "unknown processor"
    }

    private static var kernel: String {
        (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines) ?? "?"
    }

    /// Of the last minute, before a part begins: what else the machine had to do.
    private static var load: String {
        var loads = [0.0]
        return getloadavg(&loads, 1) == 1 ? String(format: "%.1f", loads[0]) : "?"
    }
}
