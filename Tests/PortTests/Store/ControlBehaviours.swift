import Foundation
import Model
import Pipeline
import Testing

@Suite("What operators have set")
struct ControlBehaviours {
    private struct Refusal: Error, Equatable {}

    /// Sets something for services, as an operator does.
    @discardableResult
    private func set(
        _ services: [String], in store: any Store, audit: AuditEntry? = nil,
        _ change: @Sendable @escaping (inout ServiceControl, Date) -> Void
    ) async throws -> [ServiceControl] {
        try await store.changeControl(of: services) { sheet in
            let controls = services.map { service in
                var control = sheet[service]
                (control.setBy, control.setAt) = ("anna@k1", sheet.now)
                change(&control, sheet.now)
                return control
            }
            return .success(ControlChange(controls, audit: audit))
        }
    }

    @Test("is nothing at first, and then known to every process as it was set", arguments: roleStores)
    func known(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            #expect(try await base.store.control().controls.isEmpty)
            let set = try await set(["blip", "consensus"], in: base.store) { control, now in
                (control.isPaused, control.until) = (true, now.addingTimeInterval(3600))
                control.reason = "new “model” 🙂"
                (control.rateLimit, control.concurrency) = (1.0 / 3, 7)
            }
            #expect(set.map(\.revision) == [1, 1])
            let sheet = try await base.connect().control()
            #expect(sheet.controls.keys.sorted() == ["blip", "consensus"])
            let (blip, written) = (sheet["blip"], try #require(set.first))
            #expect(blip.isPaused && blip.reason == "new “model” 🙂" && blip.setBy == "anna@k1")
            #expect(blip.rateLimit == 1.0 / 3 && blip.concurrency == 7 && blip.revision == 1)
            for (stored, given) in [
                (blip.setAt, written.setAt), (try #require(blip.until), try #require(written.until)),
            ] {
                #expect(abs(stored.timeIntervalSince(given)) < 0.002)
            }
            #expect(sheet["clip"] == ServiceControl(service: "clip"))
        }
    }

    @Test("changes as a whole, and each change is a revision of its service alone", arguments: roleStores)
    func revisions(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            try await set(["blip"], in: base.store) { control, _ in control.rateLimit = 20 }
            try await set(["clip", "blip"], in: base.store) { control, _ in control.concurrency = 2 }
            try await set(["blip"], in: base.store) { control, _ in control.rateLimit = nil }
            let sheet = try await base.store.control()
            #expect(sheet["blip"].revision == 3 && sheet["clip"].revision == 1)
            #expect(sheet["blip"].rateLimit == nil && sheet["blip"].concurrency == 2)
        }
    }

    @Test("stays as it was where a change fails, and the audit too", arguments: roleStores)
    func refused(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            try await set(["blip"], in: base.store) { control, _ in control.isPaused = true }
            let before = try await base.store.control().controls
            await #expect(throws: Refusal.self) {
                _ = try await base.store.changeControl(of: ["blip", "clip"]) { _ in .failure(Refusal()) }
            }
            #expect(try await base.store.control().controls == before)
            #expect(try await base.store.auditPage(before: nil, limit: 9).isEmpty)
        }
    }

    @Test("loses no change where several operators act at once", arguments: storeBackends)
    func together(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let stores = [base.store, try await base.connect(), try await base.connect()]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<30 {
                    group.addTask {
                        let entry = AuditEntry(who: "anna", act: "limit", filter: "blip", count: 1)
                        try await set(["blip"], in: stores[index % 3], audit: entry) { control, _ in
                            control.concurrency = (control.concurrency ?? 0) + 1
                        }
                    }
                }
                try await group.waitForAll()
            }
            let blip = try await base.store.control()["blip"]
            #expect(blip.concurrency == 30 && blip.revision == 30)
            #expect(try await base.store.auditPage(before: nil, limit: 99).count == 30)
        }
    }

    @Test("ends a pause by itself when its time has passed, by the store's clock", arguments: roleStores)
    func until(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            try await set(["blip"], in: base.store) { control, now in
                (control.isPaused, control.until, control.reason) = (true, now.addingTimeInterval(3600), "lunch")
                control.rateLimit = 5
            }
            try await base.advance(.seconds(3500))
            #expect(try await base.store.control()["blip"].isPaused)
            try await base.advance(.seconds(200))
            let blip = try await base.store.control()["blip"]
            #expect(!blip.isPaused && blip.until == nil && blip.reason == nil && blip.rateLimit == 5)
            // Who changes it sees the same.
            try await set(["blip"], in: base.store) { control, _ in
                if control.isPaused { control.rateLimit = nil }
            }
            #expect(try await base.store.control()["blip"].rateLimit == 5)
        }
    }

    @Test("is the revision that a worker obeys, in its row", arguments: storeBackends)
    func obeyed(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            var worker = RegisteredWorker(
                workerID: "a", service: "clip", host: "k3", queue: "queue_clip", condition: WorkerCondition(.working),
                revision: 0)
            try await base.store.register(worker, silence: .seconds(60))
            #expect(try await base.store.liveWorkers().map(\.revision) == [0])
            worker.revision = 7
            try await base.store.register(worker, silence: .seconds(60))
            #expect(try await base.store.liveWorkers().map(\.revision) == [7])
            worker.revision = nil
            try await base.store.register(worker, silence: .seconds(60))
            #expect(try await base.store.liveWorkers().map(\.revision) == [nil])
        }
    }
}

@Suite("Tokens of a rate limit")
struct TokenBehaviours {
    private func limit(_ rate: Double?, _ store: any Store) async throws {
        _ = try await store.changeControl(of: ["blip"]) { sheet in
            var control = sheet["blip"]
            (control.rateLimit, control.setBy, control.setAt) = (rate, "anna", sheet.now)
            return .success(ControlChange([control], audit: nil))
        }
    }

    @Test("are not needed where there is no limit", arguments: roleStores)
    func unlimited(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            #expect(try await base.store.leaseTokens(5, returning: 0, of: "blip") == .unlimited)
            try await limit(20, base.store)
            try await limit(nil, base.store)
            #expect(try await base.store.leaseTokens(5, returning: 0, of: "blip") == .unlimited)
        }
    }

    @Test("come in at the limit's rate, for all processes together", arguments: roleStores)
    func rate(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            // So slow that what comes in while the test runs is less than one.
            try await limit(1 / 3600.0, base.store)
            let other = try await base.connect()
            #expect(try await base.store.leaseTokens(5, returning: 0, of: "blip") == .granted(1))
            guard case .wait(let wait) = try await other.leaseTokens(5, returning: 0, of: "blip") else {
                Issue.record("there is none left")
                return
            }
            #expect(wait > .seconds(1800) && wait <= .seconds(3600))
            try await base.advance(.seconds(3601))
            #expect(try await other.leaseTokens(5, returning: 0, of: "blip") == .granted(1))
            guard case .wait = try await base.store.leaseTokens(1, returning: 0, of: "blip") else {
                Issue.record("there was one, whoever asks")
                return
            }
        }
    }

    @Test("that were not used and come back are leased again", arguments: roleStores)
    func returned(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            try await limit(1 / 3600.0, base.store)
            #expect(try await base.store.leaseTokens(1, returning: 0, of: "blip") == .granted(1))
            #expect(try await base.store.leaseTokens(1, returning: 1, of: "blip") == .granted(1))
        }
    }

    @Test("do not gather while nobody wants them: no more than a second's", arguments: roleStores)
    func idle(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            try await limit(0.01, base.store)
            #expect(try await base.store.leaseTokens(1, returning: 0, of: "blip") == .granted(1))
            try await base.advance(.seconds(86_400))
            #expect(try await base.store.leaseTokens(9, returning: 0, of: "blip") == .granted(1))
            guard case .wait = try await base.store.leaseTokens(1, returning: 0, of: "blip") else {
                Issue.record("one job in a hundred seconds, also after a day")
                return
            }
        }
    }

    @Test("are never leased twice, however many ask at once", arguments: storeBackends)
    func together(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            // So slow that what comes in while the test runs is less than one.
            try await limit(1 / 3600.0, base.store)
            let stores = [base.store, try await base.connect(), try await base.connect()]
            for round in 1...20 {
                // There is one. Those who ask find a bucket that is there already: to make it would have them wait for each other.
                _ = try await base.store.leaseTokens(0, returning: 1, of: "blip")
                let granted = try await withThrowingTaskGroup(of: Int.self) { group in
                    for index in 0..<12 {
                        group.addTask {
                            let lease = try await stores[index % 3].leaseTokens(3, returning: 0, of: "blip")
                            return if case .granted(let count) = lease { count } else { 0 }
                        }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(granted == 1, "round \(round)")
            }
        }
    }
}

@Suite("The audit")
struct AuditBehaviours {
    private func entry(_ number: Int) -> AuditEntry {
        AuditEntry(who: "anna@k1", act: "requeue", filter: "service clip, “timeout” \(number)", count: number)
    }

    @Test("has every act, the newest first, page by page", arguments: roleStores)
    func pages(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            for number in 1...5 { try await base.store.audit(entry(number)) }
            let other = try await base.connect()
            let first = try await other.auditPage(before: nil, limit: 2)
            #expect(first.map(\.entry) == [entry(5), entry(4)])
            #expect(abs(try #require(first.first).at.timeIntervalSince(base.now())) < max(60, base.tolerance))
            // What comes in meanwhile shifts nothing.
            try await base.store.audit(entry(6))
            let second = try await other.auditPage(before: first.last?.id, limit: 2)
            #expect(second.map(\.entry) == [entry(3), entry(2)])
            #expect(try await other.auditPage(before: second.last?.id, limit: 2).map(\.entry) == [entry(1)])
            #expect(try await other.auditPage(before: nil, limit: 0).isEmpty)
        }
    }

    @Test("is written with the change that it tells of", arguments: roleStores)
    func changes(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            _ = try await base.store.changeControl(of: ["blip"]) { sheet in
                var control = sheet["blip"]
                control.isPaused = true
                return .success(
                    ControlChange(
                        [control], audit: AuditEntry(who: "anna", act: "pause", filter: "blip", count: 1)))
            }
            #expect(try await base.store.auditPage(before: nil, limit: 9).map(\.entry.act) == ["pause"])
        }
    }
}
