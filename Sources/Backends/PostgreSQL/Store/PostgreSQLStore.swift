import Foundation
import Model
import Pipeline
import Waiting

/// The rows of the pipeline in PostgreSQL. Everything about one image is computed and written under the advisory lock
/// of the image, in one transaction whose first statement takes the lock.
public struct PostgreSQLStore: Sendable {
    let primary: ConnectionPool
    let replica: ConnectionPool
    /// Distinguishes this run of the program from others with the same worker id.
    let runID: UUID
    let recording: SharedTrip<AnalysisResult, Bool>
    let asking: SharedTrip<JobKey, JobStanding>

    /// The store of a database. Several values may share the database.
    public init(_ database: PostgreSQLDatabase) {
        primary = database.primary
        replica = database.replica
        runID = database.run
        recording = database.recording
        asking = database.asking
    }

    /// For faults that are found on this side.
    var place: String { primary.server.place }
}

extension PostgreSQLStore: ResultStore, ImageCatalogue, Reports {}
