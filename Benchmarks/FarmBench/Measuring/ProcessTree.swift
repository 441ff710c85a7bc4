import Foundation
import Glibc

/// What a process and all that it has started have taken so far, by /proc: task queues of Python work in processes of their own.
struct ProcessTree {
    /// Processor time, in seconds.
    var processor = 0.0
    /// Memory that is theirs, in MB (10⁶ bytes); what several of them share counts once.
    var memory = 0.0

    /// - Throws: `BenchFault` if it has ended.
    init(of root: pid_t) throws {
        let all = ProcessTree.all()
        guard all[root] != nil else { throw BenchFault("process \(root) has ended") }
        var family = [root]
        var next = 0
        while next < family.count {
            let parent = family[next]
            family += all.filter { $0.value.parent == parent }.map(\.key)
            next += 1
        }
        for pid in family {
            processor += all[pid]?.seconds ?? 0
            memory += ProcessTree.proportionalMemory(pid)
        }
    }

    private static func all() -> [pid_t: (parent: pid_t, seconds: Double)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        var processes: [pid_t: (parent: pid_t, seconds: Double)] = [:]
        for pid in names.compactMap({ pid_t($0) }) {
            // Fields 4 and 14 to 17 of proc(5); those of children that have ended are among them.
            guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let fields = text.split(separator: ")").last?.split(separator: " "), fields.count > 14,
                let parent = pid_t(fields[1])
            else { continue }
            let ticks = fields[11...14].reduce(0) { $0 + (Double($1) ?? 0) }
            processes[pid] = (parent, ticks / Double(sysconf(Int32(_SC_CLK_TCK))))
        }
        return processes
    }

    private static func proportionalMemory(_ pid: pid_t) -> Double {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") }
        let kibibytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0
        return kibibytes * 1024 / 1e6
    }
}
