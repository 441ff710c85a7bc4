import Foundation
import Pipeline

extension DatabaseStore: ControlRecords {
    func control() async throws -> ControlSheet {
        var sheet = try await read("control") { $0.sheet(at: database.now) }
        process.orders.read(sheet, of: database.conditions.plan.called, at: database.conditions.scheduler.now)
        if database.conditions.plan.plant == .deafToPauses {
            let rows = database.conditions.plan.called.map { service in
                var control = sheet[service]
                control.isPaused = false
                return control
            }
            sheet = ControlSheet(rows, now: sheet.now)
        }
        return sheet
    }

    func changeControl(
        of services: [String], _ change: @Sendable @escaping (ControlSheet) -> Result<ControlChange, any Error>
    ) async throws -> [ServiceControl] {
        let now = database.now
        return try await write("control of \(services)") { tables -> Result<[ServiceControl], any Error> in
            let sheet = tables.sheet(at: now, of: services)
            return change(sheet).map { change in
                let changed = sheet.revised(change)
                for control in changed { tables.controls[control.service] = control }
                if let entry = change.audit { tables.add(entry, at: now) }
                return changed
            }
        }.get()
    }

    func leaseTokens(_ count: Int, returning returned: Int, of service: String) async throws -> TokenLease {
        let now = database.now
        return try await write("\(count) tokens of \(service)") { tables in
            guard let rate = tables.controls[service]?.rateLimit else { return .unlimited }
            var bucket = tables.buckets[service] ?? TokenBucket(refilled: now)
            defer { tables.buckets[service] = bucket }
            return bucket.lease(count, returning: returned, rate: rate, at: now)
        }
    }
}

extension DatabaseStore: AuditRecords {
    func audit(_ entry: AuditEntry) async throws {
        let now = database.now
        try await write("audit") { $0.add(entry, at: now) }
    }

    func auditPage(before id: Int?, limit: Int) async throws -> [AuditRow] {
        try await read("audit") { tables in
            Array(tables.audit.reversed().filter { $0.id < id ?? .max }.prefix(limit))
        }
    }
}

extension Database.Tables {
    /// - Parameter services: nil: all.
    func sheet(at now: Date, of services: [String]? = nil) -> ControlSheet {
        let rows = controls.values.filter { services?.contains($0.service) ?? true }.map { control in
            var control = control
            if let until = control.until, until <= now { control.isPaused = false }
            if !control.isPaused { (control.until, control.reason) = (nil, nil) }
            return control
        }
        return ControlSheet(rows, now: now)
    }

    fileprivate mutating func add(_ entry: AuditEntry, at now: Date) {
        audit.append(AuditRow(id: audit.count + 1, at: now, entry: entry))
    }
}
