import Foundation

/// What operators have set for a service or a role, for the whole farm.
public struct ServiceControl: Sendable, Equatable {
    /// The service, or `bbox_merger`, `spatial_enrichment`, `consensus`.
    public var service: String
    /// Whether nothing may be taken. A pause whose `until` has passed is over.
    public var isPaused = false
    /// When the pause ends by itself. nil if somebody has to end it.
    public var until: Date?
    /// The reason for the pause: one line for people.
    public var reason: String?
    /// How many jobs per second the whole farm may take. nil if there is no limit.
    public var rateLimit: Double?
    /// How many calls each worker may have in flight. nil if its configuration decides.
    public var concurrency: Int?
    /// Who paused it. If it is not paused, who made the last change.
    public var setBy = ""
    /// When that was.
    public var setAt = Date.distantPast
    /// Grows by one with each change. 0 if nothing was ever set.
    public var revision = 0

    /// A service for which nothing is set.
    public init(service: String) { self.service = service }
}

/// What is set for some services and roles, or for all, at one moment.
public struct ControlSheet: Sendable, Equatable {
    /// What is set, by service. Services for which nothing was ever set are missing.
    public var controls: [String: ServiceControl]
    /// The time of the store's clock.
    public var now: Date

    package init(_ controls: [ServiceControl] = [], now: Date) {
        self.controls = Dictionary(controls.map { ($0.service, $0) }) { first, _ in first }
        self.now = now
    }

    /// What is set for a service.
    public subscript(service: String) -> ServiceControl { controls[service] ?? ServiceControl(service: service) }

    /// The controls that change, each with its next revision.
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
    /// The services that change, with all that is set for them from now on. The store counts the revision.
    public var controls: [ServiceControl]
    /// The row of the audit, which is written with the change. nil if nothing changes.
    public var audit: AuditEntry?

    package init(_ controls: [ServiceControl], audit: AuditEntry?) {
        self.controls = controls
        self.audit = audit
    }
}
