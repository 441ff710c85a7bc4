import Foundation

/// An operator's act, as the audit keeps it.
public struct AuditEntry: Sendable, Equatable {
    /// Who did it: `anna@k1`, `web`.
    public var who: String
    /// What was done: `pause`, `requeue`.
    public var act: String
    /// To what, one line for people.
    public var filter: String
    /// To how many.
    public var count: Int

    package init(who: String, act: String, filter: String, count: Int) {
        self.who = who
        self.act = act
        self.filter = filter
        self.count = count
    }
}

/// A row of the audit.
public struct AuditRow: Sendable, Equatable {
    /// Grows with each row.
    public var id: Int
    /// When it was written, by the store's clock.
    public var at: Date
    /// What it says.
    public var entry: AuditEntry

    package init(id: Int, at: Date, entry: AuditEntry) {
        self.id = id
        self.at = at
        self.entry = entry
    }
}

/// What operators have done, in a table of farm's own (`farm_audit`). Rows are only ever added. All throw `PortFault`.
public protocol AuditRecords: Sendable {
    /// Adds a row.
    func audit(_ entry: AuditEntry) async throws

    /// The newest first.
    /// - Parameter id: only rows that are older than this one; nil: from the newest on.
    func auditPage(before id: Int?, limit: Int) async throws -> [AuditRow]
}
