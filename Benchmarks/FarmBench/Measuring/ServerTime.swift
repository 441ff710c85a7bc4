import Foundation
import Glibc

/// The processor time of the servers that `make bench` has started, in seconds.
struct ServerTime {
    var broker: Double
    var database: Double

    /// What has been used so far.
    init() {
        let folder = ProcessInfo.processInfo.environment["FARM_TEST_SERVERS"] ?? "/nowhere"
        let processes = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter {
            Int($0) != nil
        }
        func used(_ name: String) -> Double {
            processes.reduce(0) { $0 + ServerTime.seconds("/proc/\($1)", of: name, in: folder) }
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
    private static func seconds(_ process: String, of name: String, in folder: String) -> Double {
        guard let text = try? String(contentsOfFile: "\(process)/stat", encoding: .utf8), text.contains("(\(name))"),
            let fields = text.split(separator: ")").last?.split(separator: " "), fields.count > 14,
            belongs(process, to: folder)
        else { return 0 }
        return fields[11...14].reduce(0) { $0 + (Double($1) ?? 0) } / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Servers of others on this machine are not meant. PostgreSQL's processes work in their folder; RabbitMQ names it among its
    /// arguments.
    private static func belongs(_ process: String, to folder: String) -> Bool {
        let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(process)/cwd")
        if place?.hasPrefix(folder) == true { return true }
        return (try? String(contentsOfFile: "\(process)/cmdline", encoding: .utf8))?.contains(folder) == true
    }
}
