import Foundation
import GRDB

/// The plain C++ program that does what `farm up` does on the embedded file, with the crops made before.
enum BareUp {
    /// A file of SQLite's with its log.
    static func files(_ workplace: Workplace, _ name: String) -> [String] {
        ["", "-wal"].map { workplace.path(name + $0) }
    }

    /// Copies a file that nobody has open. What the other was, is gone.
    static func copy(_ source: [String], to target: [String]) throws {
        let manager = FileManager.default
        for (from, to) in zip(source, target) where from != to {
            if manager.fileExists(atPath: to) { try manager.removeItem(atPath: to) }
            if manager.fileExists(atPath: from) { try manager.copyItem(atPath: from, toPath: to) }
        }
        if let file = target.first, manager.fileExists(atPath: file + "-shm") {
            try manager.removeItem(atPath: file + "-shm")
        }
    }

    /// Does the jobs of start.db, as they are done in farm.db.
    /// - Parameter triggers: whether farm's are in the file, which keep its counts and marks.
    /// - Returns: seconds of processor time.
    static func run(_ workplace: Workplace, images: Int, triggers: Bool) throws -> (posts: Double, all: Double) {
        try copy(files(workplace, "start.db"), to: files(workplace, "bare.db"))
        let path = workplace.path("bare.db")
        if !triggers {
            try DatabaseQueue(path: path).write { database in
                for name in try String.fetchAll(database, sql: "SELECT name FROM sqlite_schema WHERE type = 'trigger'")
                {
                    try database.execute(sql: "DROP TRIGGER \(name)")
                }
            }
        }
        let output = try Child(
            Programs.beside("bare-up"),
            [path, workplace.path("farm.db"), workplace.path("crops"), "\(workplace.port)"], in: workplace.folder.url
        ).finished()
        let seconds = output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard seconds.count == 2 else { throw BenchFault("bare-up printed \(output)") }
        try PipelineBench.check(EmbeddedFile(path), images * Workplace.services.count)
        return (seconds[0], seconds[1])
    }
}
