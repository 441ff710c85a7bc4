import Foundation
import Glibc

/// What a running process has taken so far, by /proc.
struct Consumption {
    /// Processor time, in seconds.
    var processor: Double
    /// Of it, that of threads by their name: `farm-picture`. Threads that have ended are not among them.
    var byThread: [String: Double]
    /// The highest resident memory, in MB (10⁶ bytes).
    var memory: Double

    /// - Throws: `BenchFault` if it has ended.
    init(of pid: pid_t) throws {
        let folder = "/proc/\(pid)"
        processor = try Consumption.seconds("\(folder)/stat")
        byThread = [:]
        for task in try FileManager.default.contentsOfDirectory(atPath: "\(folder)/task") {
            guard let name = try? Consumption.read("\(folder)/task/\(task)/comm"),
                let seconds = try? Consumption.seconds("\(folder)/task/\(task)/stat")
            else { continue }
            byThread[name.trimmingCharacters(in: .newlines), default: 0] += seconds
        }
        let high = try Consumption.read("\(folder)/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        guard let kibibytes = high?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
        else { throw BenchFault("process \(pid) has ended") }
        memory = kibibytes * 1024 / 1e6
    }

    private static func read(_ path: String) throws -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw BenchFault("\(path) cannot be read")
        }
        return text
    }

    /// Fields 14 and 15 of proc(5), utime and stime; the name, in parentheses, may hold anything.
    private static func seconds(_ path: String) throws -> Double {
        let fields = try read(path).split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw BenchFault("\(path) is odd")
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

/// What a program took from its start to its end.
struct Run {
    /// Seconds.
    var wall: Double
    /// Processor time, in seconds.
    var processor: Double
    /// The highest resident memory, in MB (10⁶ bytes).
    var memory: Double

    /// Runs a program to its end.
    /// - Throws: `BenchFault`.
    init(_ program: String, _ arguments: [String], in folder: URL, environment: [String: String] = [:]) throws {
        let file = folder.appending(path: ".measured").path
        try Child(Programs.beside("measured"), [file, program] + arguments, in: folder, environment: environment)
            .finished()
        let numbers = try String(contentsOfFile: file, encoding: .utf8).split(whereSeparator: \.isWhitespace)
            .compactMap { Double($0) }
        guard numbers.count == 3 else { throw BenchFault("\(program): nothing measured") }
        (wall, processor, memory) = (numbers[0], numbers[1], numbers[2] * 1024 / 1e6)
    }
}
