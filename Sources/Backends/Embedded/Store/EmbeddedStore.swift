import Foundation
import GRDB
import Model
import Pipeline
import Waiting

/// The rows of the pipeline in the file. SQLite's write lock is the lock of every image: what is computed and written
/// in one transaction is based on the newest rows.
public struct EmbeddedStore: Sendable {
    let file: SQLiteFile
    let time: any Timekeeper
    /// Distinguishes this run of the program from others with the same worker id.
    let run: String

    /// The store of a file. Several values may share the file.
    public init(_ database: EmbeddedDatabase) {
        file = database.file
        time = database.time
        run = database.run.text
    }

    /// The present time in the form in which it is written.
    var now: String { StoredTime.text(time.now()) }
}

extension EmbeddedStore: ResultStore, ImageCatalogue, Reports {}
