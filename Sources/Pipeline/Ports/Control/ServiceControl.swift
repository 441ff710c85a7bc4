import Foundation

/// What operators have set for a service or a role, for the whole farm.
public struct ServiceControl: Sendable, Equatable {
    /// The service, or `bbox_merger`, `spatial_enrichment`, `consensus`.
    public var service: String
    /// Nothing of it is taken. A pause whose `until` has passed is none any more.
    public var isPaused = false
    /// When the pause ends by itself; nil: when somebody ends it.
    public var until: Date?
    /// Why it is paused, one line for people.
    public var reason: String?
    /// How many jobs per second the whole farm takes; nil: as many as it can.
    public var rateLimit: Double?
    /// How many calls each worker may have in flight; nil: as its configuration says.
    public var concurrency: Int?
    /// Who paused it; while it is not paused, who changed anything last.
    public var setBy = ""
    /// When that was.
    public var setAt = Date.distantPast
    /// Grows by one with each change; 0: nothing was ever set.
    public var revision = 0

    /// Nothing is set.
    public init(service: String) { self.service = service }
}

/// What is set for some services and roles, or for all, at one moment.
public struct ControlSheet: Sendable, Equatable {
    /// By service, without those for which nothing was ever set.
    public var controls: [String: ServiceControl]
    /// What the store's clock says.
    public var now: Date

    package init(_ controls: [ServiceControl] = [], now: Date) {
        self.controls = Dictionary(controls.map { ($0.service, $0) }) { first, _ in first }
        self.now = now
    }

    /// What is set for one of them.
    public subscript(service: String) -> ServiceControl { controls[service] ?? ServiceControl(service: service) }

    /// What changes, as it is to be written: a revision later than this.
    package func revised(_ change: ControlChange) -> [ServiceControl] {
        change.controls.map { changed in
            var changed = changed
            changed.revision = self[changed.service].revision + 1
            return changed
        }
    }
}

/// What is to be set, and what the audit says of it.
public struct ControlChange: Sendable {
    /// Those that change, with all that is set for them from now on; the store counts the revision.
    public var controls: [ServiceControl]
    /// Written with the change, or not at all; nil where nothing changes.
    public var audit: AuditEntry?

    package init(_ controls: [ServiceControl], audit: AuditEntry?) {
        self.controls = controls
        self.audit = audit
    }
}
