import Foundation
import Glibc
import Model
import Pipeline
import Waiting

/// Checks the place of an embedded file: can it be used, and is there room for it to grow?
public enum EmbeddedProbe {
    private static let wanted = 1 << 30
    private static let needed = 64 << 20

    /// The findings. A file that does not exist is not created.
    /// - Parameters:
    ///   - path: the path of the file.
    ///   - rows: the kinds of rows that the roles here write. They are written and rolled back.
    public static func findings(
        _ path: String, time: any Timekeeper, rows: [PlainRow] = []
    ) async -> [CheckFinding] {
        do {
            try SQLiteFile.checkPlace(path, place: path)
            let exists = FileManager.default.fileExists(atPath: path)
            if exists { try await tryWriting(path, time, rows) }
            let use = CheckFinding(.ok, path, exists ? "can be used" : "does not exist yet: it is made at first use")
            return [use] + [room(path)].compactMap { $0 }
        } catch {
            return [CheckFinding(.failed, path, (error as? PortFault)?.message ?? "\(error)")]
        }
    }

    private static func tryWriting(_ path: String, _ time: any Timekeeper, _ rows: [PlainRow]) async throws {
        let database = try await EmbeddedDatabase(path: path, time: time, log: .init(label: "check"))
        do {
            try await database.file.write { _ in }
            for row in rows { try await EmbeddedStore(database).probe(row, of: nil) }
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    private static func room(_ path: String) -> CheckFinding? {
        var status = statvfs()
        guard statvfs(PathText.folder(of: PathText.absolute(path)), &status) == 0 else { return nil }
        let free = Int(status.f_bavail) * Int(status.f_frsize)
        guard free < wanted else { return nil }
        let megabytes = "\(free >> 20) MB are left on its disk"
        return free < needed
            ? CheckFinding(.failed, path, "\(megabytes): make room there, or set FARM_DB to a file on another disk")
            : CheckFinding(.warning, path, "only \(megabytes); an image with its results takes about 20 KB")
    }
}
