import Foundation
import Model
import Pipeline

/// Steers the whole farm: pauses services and roles, and limits them. Every worker obeys within five seconds, and it outlasts
/// restarts.
package struct FleetControl: Sendable {
    /// What is to become of a number that can be set.
    package enum Setting<Value: Sendable>: Sendable {
        case kept
        case none
        case to(Value)
    }

    /// When a pause ends by itself.
    package enum PauseEnd: Sendable {
        case at(Date)
        /// This many seconds from now.
        case after(TimeInterval)
    }

    /// What came of `resume`.
    package struct Resumption: Sendable {
        /// The services that were paused.
        package var resumed: [ServiceControl]
        /// The services that were not paused.
        package var untouched: [String]
    }

    /// A name or a reason is cut there.
    private static let longestText = 300
    private static let concurrencies = 1...1000

    let records: any ControlRecords & WorkerRegister
    let services: ServiceDirectory
    /// Who acts: what somebody else has paused is left alone.
    let who: String

    /// - Parameters:
    ///   - records: where it is set.
    ///   - services: those that can be named, besides those that somebody works on.
    ///   - who: acts: `anna@k1`, or the name that a program gives itself.
    package init(_ records: any ControlRecords & WorkerRegister, _ services: ServiceDirectory, who: String) {
        self.records = records
        self.services = services
        self.who = who.printable(upTo: FleetControl.longestText)
    }

    // MARK: Acts

    /// What is set for all services and roles.
    /// - Throws: `PortFault`.
    package func all() async throws -> ControlSheet { try await records.control() }

    /// Pauses services and roles; all of them, or none.
    /// - Parameters:
    ///   - names: services, roles or their commands, each perhaps several with commas between them.
    ///   - end: nil: until somebody resumes it.
    ///   - replaces: also where somebody else has paused it.
    ///   - revision: what whoever pauses it has seen of it; nil where that does not matter.
    /// - Returns: what is set for them from now on.
    /// - Throws: `OperationFault`, of the kind `conflict` where somebody else has paused one, or where something else is
    ///   set than was seen; `PortFault`.
    package func pause(
        _ names: [String], until end: PauseEnd? = nil, reason: String? = nil, replaces: Bool = false,
        since revision: Int? = nil
    ) async throws -> [ServiceControl] {
        let services = try await known(names)
        let reason = reason.map { $0.printable(upTo: FleetControl.longestText) }.flatMap { $0.isEmpty ? nil : $0 }
        return try await change(services) { sheet in
            if let revision { try FleetControl.refuse(services.map { sheet[$0] }, unlessAt: revision) }
            let until = try FleetControl.date(end, at: sheet.now)
            let others = services.map { sheet[$0] }.filter { $0.isPaused && $0.setBy != who }
            if !replaces { try FleetControl.refuse(others) }
            let controls = services.map { service in
                var control = sheet[service]
                (control.isPaused, control.until, control.reason) = (true, until, reason)
                (control.setBy, control.setAt) = (who, sheet.now)
                return control
            }
            return ControlChange(controls, audit: entry("pause", controls, controls.first?.pauseText))
        }
    }

    /// Ends the pauses of services and roles; of all of them, or none. What is not paused stays as it is.
    /// - Parameters:
    ///   - names: as `pause` has them; none: all that are paused.
    ///   - whoever: also where somebody else has paused it.
    /// - Throws: `OperationFault`, of the kind `conflict` where somebody else has paused one; `PortFault`.
    package func resume(_ names: [String], whoever: Bool = false) async throws -> Resumption {
        let services = names.isEmpty ? try await paused() : try await known(names)
        let resumed = try await change(services) { sheet in
            let paused = services.map { sheet[$0] }.filter(\.isPaused)
            if !whoever { try FleetControl.refuse(paused.filter { $0.setBy != who }) }
            let controls = paused.map { control in
                var control = control
                (control.isPaused, control.until, control.reason) = (false, nil, nil)
                (control.setBy, control.setAt) = (who, sheet.now)
                return control
            }
            return ControlChange(controls, audit: entry("resume", controls, nil))
        }
        return Resumption(
            resumed: resumed, untouched: services.filter { name in !resumed.contains { $0.service == name } })
    }

    /// Limits services and roles; all of them, or none.
    /// - Parameters:
    ///   - names: as `pause` has them.
    ///   - rate: what the whole farm takes.
    ///   - concurrency: calls in flight for each worker; of a service, since roles make none of their own.
    /// - Throws: `OperationFault`, `PortFault`.
    package func limit(
        _ names: [String], rate: Setting<RateText> = .kept, concurrency: Setting<Int> = .kept
    ) async throws -> [ServiceControl] {
        let services = try await known(names)
        if case .kept = concurrency {} else { try FleetControl.refuseRoles(services) }
        if case .to(let number) = concurrency, !FleetControl.concurrencies.contains(number) {
            throw OperationFault.unusable("the concurrency must be 1 to 1000, is \(number)")
        }
        return try await change(services) { sheet in
            let controls = services.map { service in
                var control = sheet[service]
                switch rate {
                case .kept: break
                case .none: control.rateLimit = nil
                case .to(let rate): control.rateLimit = rate.perSecond
                }
                switch concurrency {
                case .kept: break
                case .none: control.concurrency = nil
                case .to(let number): control.concurrency = number
                }
                // Who paused it stays known.
                if !control.isPaused { (control.setBy, control.setAt) = (who, sheet.now) }
                return control
            }
            let first = controls.first.map { [$0.limitText ?? "no rate limit", $0.callsText].compactMap { $0 } } ?? []
            return ControlChange(controls, audit: entry("limit", controls, first.joined(separator: ", ")))
        }
    }

    // MARK: Names

    /// The names of services and roles that can be given, sorted.
    /// - Throws: `PortFault`.
    package func knownNames() async throws -> [String] {
        // Another box's service is not in this one's file.
        let working = try await records.seenWorkers().map(\.service)
        let set = try await records.control().controls.keys
        let roles = PostProcessing.allCases.map(\.rawValue) + (services.postsWebhooks ? [Callback.service] : [])
        return Set(services.names + roles + working + set).sorted()
    }

    private func known(_ names: [String]) async throws -> [String] {
        let parts = names.flatMap { $0.split(separator: ",").map { String($0.filter { $0 != " " }) } }
        let roles = Dictionary(uniqueKeysWithValues: PostProcessing.allCases.map { ($0.command, $0.rawValue) })
        let known = try await knownNames()
        let named = parts.map { known.contains($0) ? $0 : roles[$0] ?? $0 }
        let unknown = Set(named).subtracting(known).sorted()
        guard unknown.isEmpty, !named.isEmpty else {
            let what = unknown.isEmpty ? "no service is named" : "unknown service \(unknown.joined(separator: ", "))"
            throw OperationFault.unusable("\(what.printable(upTo: 200)); known are \(known.joined(separator: ", "))")
        }
        var seen: Set<String> = []
        return named.filter { seen.insert($0).inserted }
    }

    private func paused() async throws -> [String] {
        try await records.control().controls.values.filter(\.isPaused).map(\.service).sorted()
    }

    // MARK: Rules

    private func change(
        _ services: [String], _ change: @Sendable @escaping (ControlSheet) throws -> ControlChange
    ) async throws -> [ServiceControl] {
        try await records.changeControl(of: services) { sheet in Result { try change(sheet) } }
    }

    private func entry(_ act: String, _ controls: [ServiceControl], _ what: String?) -> AuditEntry? {
        guard !controls.isEmpty else { return nil }
        let names = controls.map(\.service).joined(separator: ", ")
        return AuditEntry(who: who, act: act, filter: names + (what.map { ": \($0)" } ?? ""), count: controls.count)
    }

    private static func date(_ end: PauseEnd?, at now: Date) throws -> Date? {
        switch end {
        case nil: return nil
        case .after(let seconds):
            guard seconds > 0 else { throw OperationFault.unusable("a pause lasts for some time") }
            return now.addingTimeInterval(seconds)
        case .at(let date):
            guard date > now else {
                throw OperationFault.unusable(
                    "\(ServiceControl.time(date)) has passed: by the database's clock it is \(ServiceControl.time(now))"
                )
            }
            return date
        }
    }

    private static func refuse(_ others: [ServiceControl]) throws {
        guard !others.isEmpty else { return }
        let lines = others.map { "\($0.service) is \($0.pauseText ?? "paused")" }
        throw OperationFault.conflict(lines.joined(separator: "; "))
    }

    private static func refuse(_ controls: [ServiceControl], unlessAt revision: Int) throws {
        let others = controls.filter { $0.revision != revision }
        guard !others.isEmpty else { return }
        let lines = others.map { "\($0.service) is \($0.text)" }
        throw OperationFault.conflict("somebody has changed it meanwhile: \(lines.joined(separator: "; "))")
    }

    private static func refuseRoles(_ services: [String]) throws {
        let roles = services.filter { $0 == Callback.service || PostProcessing(rawValue: $0) != nil }
        guard roles.isEmpty else {
            throw OperationFault.unusable(
                "\(roles.joined(separator: ", ")): a role makes no calls of its own; limit the services that it calls")
        }
    }
}
