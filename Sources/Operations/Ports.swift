import Pipeline

/// The queue, with everything that operators do with it.
package typealias Queue = any JobQueue & QueueAdministration & QueueInspection
/// The store, with all its tables.
package typealias Store = any ResultStore & ImageCatalogue & ImportRecords & Reports & ResultForgetting & WorkerRegister
    & ProgressRecords & ControlRecords & AuditRecords & ImageBrowsing & ImageIndexing & SubmissionRecords

/// Queue and store for commands that only read. Each is opened when it is asked for.
package protocol ReadingParts: Sendable {
    /// - Throws: `PortFault` while it is out of reach.
    func queue() async throws -> Queue

    /// The store or its replica.
    /// - Throws: `PortFault` while it is out of reach.
    func store() async throws -> Store
}
