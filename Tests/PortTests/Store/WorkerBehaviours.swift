import Foundation
import Model
import Pipeline
import Testing

@Suite("Workers that are alive")
struct WorkerBehaviours {
    private func worker(
        _ id: String, _ service: String = "clip", on host: String = "k3", _ condition: WorkerCondition? = nil
    ) -> RegisteredWorker {
        RegisteredWorker(
            workerID: id, service: service, host: host, queue: "queue_\(service)",
            condition: condition ?? WorkerCondition(.working))
    }

    @Test("are known to every process, each with its condition, until they end", arguments: storeBackends)
    func known(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let other = try await base.connect()
            #expect(try await base.store.liveWorkers().isEmpty)
            try await base.store.register(worker("a"), silence: .seconds(60))
            try await base.store.register(worker("a", "ocr"), silence: .seconds(60))
            // One id for all boxes is still a worker each.
            let down = WorkerCondition(.serviceDown, reason: "connection refused: “k4”")
            try await other.register(worker("a", on: "k4"), silence: .seconds(60))
            try await other.register(worker("a", on: "k4", down), silence: .seconds(60))
            #expect(
                try await base.store.liveWorkers() == [worker("a"), worker("a", on: "k4", down), worker("a", "ocr")])
            try await other.unregister(queue: "queue_clip")
            try await other.unregister(queue: "queue_ocr")
            #expect(try await other.liveWorkers() == [worker("a"), worker("a", "ocr")])
        }
    }

    @Test("tell of their work, as far as their farm knows", arguments: storeBackends)
    func figures(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            var row = worker("a")
            row.figures = WorkerFigures(
                version: "1.2 “β”", concurrency: 0, completed: 3_000_000_000, rate: 0.1,
                lastJob: Date(timeIntervalSince1970: 1_790_000_000.25))
            try await base.store.register(row, silence: .seconds(60))
            #expect(try await base.store.liveWorkers() == [row])
            row.figures = WorkerFigures()
            try await base.store.register(row, silence: .seconds(60))
            #expect(try await base.store.liveWorkers() == [row])
        }
    }

    @Test("are gone when they are silent for longer than they said, and back when they speak", arguments: storeBackends)
    func silent(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            try await base.store.register(worker("a"), silence: .seconds(60))
            try await base.store.register(worker("b", "ocr"), silence: .seconds(600))
            try await base.advance(.seconds(120))
            #expect(try await base.store.liveWorkers() == [worker("b", "ocr")])
            try await base.store.register(worker("a"), silence: .seconds(60))
            #expect(try await base.store.liveWorkers() == [worker("a"), worker("b", "ocr")])
        }
    }

    @Test("are among the silent from then on, unless they have said that they stop", arguments: storeBackends)
    func silentOnes(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let other = try await base.connect()
            try await base.store.register(worker("a"), silence: .seconds(60))
            try await base.store.register(worker("b", "ocr", on: "k4"), silence: .seconds(60))
            try await base.store.register(worker("c", "blip", WorkerCondition(.stopping)), silence: .seconds(60))
            try await base.advance(.seconds(100))
            try await other.register(worker("d"), silence: .seconds(60))
            try await base.store.register(worker("a"), silence: .seconds(60))
            try await base.advance(.seconds(100))
            try await base.store.register(worker("e", "pose"), silence: .seconds(60))
            let silent = try await base.store.silentWorkers(since: .seconds(300))
            #expect(silent.map(\.workerID).prefix(1) == ["b"] && Set(silent.map(\.workerID)) == ["a", "b", "d"])
            #expect(silent.first?.serviceName == "ocr" && silent.first?.nodeHostname == "k4")
            #expect(silent.map { $0.minutesSilent >= 3 } == [true, false, false])
            // Whoever ends in order is not silent, and what is long past is others' to tell.
            try await other.unregister(queue: "queue_clip")
            #expect(try await base.store.silentWorkers(since: .seconds(150)).map(\.workerID) == ["a"])
        }
    }

    @Test("were last seen at a time that the silent keep and those that ended do not", arguments: storeBackends)
    func seen(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let other = try await base.connect()
            try await base.store.register(worker("a"), silence: .seconds(60))
            try await other.register(worker("b"), silence: .seconds(60))
            try await other.register(worker("b", "ocr"), silence: .seconds(60))
            try await base.advance(.seconds(120))
            try await other.register(worker("b"), silence: .seconds(60))
            let seen = try await base.store.seenWorkers()
            #expect(seen.map(\.service) == ["clip", "ocr"] && seen.map(\.host) == ["k3", "k3"])
            // The newest of those on one box counts.
            #expect(seen.map { $0.age >= 120 } == [false, true])
            try await other.unregister(queue: "queue_ocr")
            #expect(try await base.store.seenWorkers().map(\.service) == ["clip"])
        }
    }

    @Test("leave nothing behind for longer than a day", arguments: storeBackends)
    func tidied(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let other = try await base.connect()
            try await other.register(worker("a"), silence: .seconds(60))
            try await base.advance(.seconds(86_500))
            try await base.store.register(worker("b"), silence: .seconds(60))
            #expect(try await base.select("SELECT worker_id FROM farm_workers") == ["b"])
        }
    }

    @Test("may be in a state that only a newer farm knows", arguments: storeBackends)
    func unknownState(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            try await base.store.register(worker("a"), silence: .seconds(60))
            try await base.execute("UPDATE farm_workers SET state = 'hibernating', reason = 'winter'")
            #expect(
                try await base.store.liveWorkers() == [
                    worker("a", on: "k3", WorkerCondition(.unknown, reason: "winter"))
                ])
        }
    }

    @Test("are not those whose process has ended on this machine; of others nobody knows", arguments: storeBackends)
    func killed(_ backend: StoreBackend) async throws {
        let own = try #require(ProcessIdentity.own)
        // One that has ended, and was waited for.
        let child = try Process.run(URL(fileURLWithPath: "/bin/true"), arguments: [])
        child.waitUntilExit()
        let number = Int(child.processIdentifier)
        try await backend.run { base in
            var (here, gone, elsewhere) = (worker("here"), worker("gone", "ocr"), worker("elsewhere", "blip"))
            here.process = own
            gone.process = ProcessIdentity(space: own.space, number: number)
            elsewhere.process = ProcessIdentity(space: "another machine", number: number)
            for worker in [here, gone, elsewhere] { try await base.store.register(worker, silence: .seconds(60)) }
            #expect(try await base.store.liveWorkers() == [elsewhere, here])
            #expect(try await base.store.silentWorkers(since: .seconds(60)).map(\.workerID) == ["gone"])
        }
    }
}
