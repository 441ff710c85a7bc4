import Foundation
import Model
import Pipeline

/// The rows of the pipeline in PostgreSQL. What belongs to one image is computed and written under the image's advisory
/// lock, in one transaction whose first statement takes it.
public struct PostgreSQLStore: Sendable {
    let primary: ConnectionPool
    let replica: ConnectionPool
    /// Tells this run of the program from others that have the same worker id.
    let runID: UUID

    /// The store of a database; several values may share it.
    public init(_ database: PostgreSQLDatabase) {
        primary = database.primary
        replica = database.replica
        runID = database.run
    }

    /// For faults that this side finds.
    var place: String { primary.server.place }
}

extension PostgreSQLStore: ResultStore, ImageCatalogue, Reports {}
