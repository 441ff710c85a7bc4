import Foundation
import Glibc

/// The processor time of the servers that a measurement uses, in seconds. It belongs to all processes of their names: other
/// servers of this machine must be idle.
struct ServerTime {
    var broker: Double
    var database: Double

    /// What has been used so far.
    init() {
        func used(_ name: String) -> Double {
            let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            return processes.filter { Int($0) != nil }.reduce(0) {
                $0 + ServerTime.seconds("/proc/\($1)/stat", of: name)
            }
        }
        broker = used("beam.smp")
        database = used("postgres")
    }

    private init(_ broker: Double, _ database: Double) { (self.broker, self.database) = (broker, database) }

    static func - (now: ServerTime, before: ServerTime) -> ServerTime {
        ServerTime(now.broker - before.broker, now.database - before.database)
    }

    /// Fields 14 to 17 of proc(5): its own time, and that of children that have ended. PostgreSQL's processes for connections
    /// are such children.
    private static func seconds(_ path: String, of name: String) -> Double {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), text.contains("(\(name))"),
            let fields = text.split(separator: ")").last?.split(separator: " "), fields.count > 14
        else { return 0 }
        return fields[11...14].reduce(0) { $0 + (Double($1) ?? 0) } / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
