import Model
import Pipeline
import Testing

@Suite("Heartbeats")
struct HeartbeatBehaviours {
    private let windows = MonitorWindows()

    @Test("are kept to a thousand rows per worker, the newest ones", arguments: heartbeatBackends)
    func cap(_ backend: HeartbeatBackend) async throws {
        try await backend.run { base in
            for index in 0..<1000 { try await base.insert(.of("w1", completed: index), .seconds(2000 - index)) }
            try await base.store.record(.of("w2"))
            for index in 1000..<1003 { try await base.store.record(.of("w1", completed: index)) }
            #expect(try await base.count("w1") == 1000)
            #expect(try await base.count("w2") == 1)
            let report = try await base.store.report(
                MonitorWindows(deadThreshold: .seconds(300), performance: .seconds(3600), errors: .seconds(60)))
            #expect(report.performance.first?.jobsCompleted == 999)
        }
    }

    @Test("of values longer than their columns are cut, not refused", arguments: heartbeatBackends)
    func long(_ backend: HeartbeatBackend) async throws {
        try await backend.run { base in
            let long = String(repeating: "x", count: 80)
            try await base.store.record(.of(long, long, on: long))
            let node = try #require(try await base.store.report(windows).nodes.first)
            #expect(node.nodeHostname == String(repeating: "x", count: 49) + "…")
        }
    }

    @Test("that stop without a word make a dead worker", arguments: heartbeatBackends)
    func dead(_ backend: HeartbeatBackend) async throws {
        try await backend.run { base in
            try await base.insert(.of("silent", "blip"), .seconds(600))
            try await base.insert(.of("failed", "clip", .error, error: "x"), .seconds(600))
            try await base.insert(.of("recent", "ocr"), .seconds(100))
            let report = try await base.store.report(windows)
            #expect(report.deadWorkers.map(\.workerID).sorted() == ["failed", "silent"])
            let silent = try #require(report.deadWorkers.first { $0.workerID == "silent" })
            #expect(silent.serviceName == "blip")
            #expect(silent.nodeHostname == "k1")
            // And what the test has taken so far.
            #expect((9.9..<15).contains(silent.minutesSilent))
        }
    }

    @Test(
        "that said stopping, or ended a day ago, or have a live successor there, make none",
        arguments: heartbeatBackends)
    func notDead(_ backend: HeartbeatBackend) async throws {
        try await backend.run { base in
            try await base.insert(.of("stopped"), .seconds(700))
            try await base.insert(.of("stopped", .stopping), .seconds(600))
            try await base.insert(.of("forgotten", "ocr"), .seconds(24 * 3600 + 60))
            try await base.insert(.of("before", "clip"), .seconds(600))
            try await base.insert(.of("after", "clip"), .seconds(10))
            #expect(try await base.store.report(windows).deadWorkers.isEmpty)
        }
    }

    @Test(
        "of a successor elsewhere, of another service or gone itself do not excuse a dead worker",
        arguments: heartbeatBackends)
    func noSuccessor(_ backend: HeartbeatBackend) async throws {
        try await backend.run { base in
            try await base.insert(.of("dead", "clip"), .seconds(600))
            try await base.insert(.of("elsewhere", "clip", on: "k2"), .seconds(10))
            try await base.insert(.of("other", "blip"), .seconds(10))
            try await base.insert(.of("gone", "clip", .stopping), .seconds(10))
            #expect(try await base.store.report(windows).deadWorkers.map(\.workerID) == ["dead"])
        }
    }

    @Test(
        "of workers beside it, or of another one's successor, do not excuse a dead worker", arguments: heartbeatBackends
    )
    func oneOfSeveral(_ backend: HeartbeatBackend) async throws {
        try await backend.run { base in
            for (worker, ages) in [
                ("beside", [20_000, 9000, 10]), ("killed", [20_000, 8000]), ("killed first", [20_000, 9000]),
                ("after", [7000, 3000]), ("after that", [2000, 10]),
            ] {
                for age in ages { try await base.insert(.of(worker), .seconds(age)) }
            }
            // One started in the place of `killed`, and again; nobody in that of `killed first`.
            #expect(try await base.store.report(windows).deadWorkers.map(\.workerID) == ["killed first"])
            try await base.insert(.of("at last", .starting), .seconds(5))
            #expect(try await base.store.report(windows).deadWorkers.isEmpty)
        }
    }

    @Test(
        "of one that stopped long ago do not keep a newcomer from a dead one's place: as many as died are enough",
        arguments: heartbeatBackends)
    func beginsAfterStop(_ backend: HeartbeatBackend) async throws {
        try await backend.run { base in
            for (worker, ages) in [("a", [20_000, 9000]), ("b", [20_000, 8000]), ("c", [20_000, 8500])] {
                for age in ages { try await base.insert(.of(worker), .seconds(age)) }
            }
            // Its last word came after the last of both who were killed.
            try await base.insert(.of("c", .stopping), .seconds(7000))
            try await base.insert(.of("e"), .seconds(5000))
            try await base.insert(.of("e"), .seconds(10))
            #expect(try await base.store.report(windows).deadWorkers.map(\.workerID) == ["a"])
            try await base.insert(.of("f"), .seconds(5))
            #expect(try await base.store.report(windows).deadWorkers.isEmpty)
        }
    }

    @Test("of one that was restarted do not excuse another one that is dead", arguments: heartbeatBackends)
    func restarted(_ backend: HeartbeatBackend) async throws {
        try await backend.run { base in
            for worker in ["killed", "c"] {
                for age in [20_000, 9000] { try await base.insert(.of(worker), .seconds(age)) }
            }
            try await base.insert(.of("c", .stopping), .seconds(7000))
            try await base.insert(.of("c again"), .seconds(6990))
            try await base.insert(.of("c again"), .seconds(10))
            let dead = try await base.store.report(windows).deadWorkers.map(\.workerID)
            #expect(dead == ["killed"])
        }
    }

    @Test("give the live workers of each box with their services", arguments: heartbeatBackends)
    func nodes(_ backend: HeartbeatBackend) async throws {
        try await backend.run { base in
            try await base.insert(.of("a", "ocr", on: "k2"), .seconds(10))
            try await base.insert(.of("b", "blip", on: "k2"), .seconds(10))
            try await base.insert(.of("c", "blip", on: "k1"), .seconds(10))
            try await base.insert(.of("d", "clip", on: "k1", .stopping), .seconds(10))
            try await base.insert(.of("e", "clip", on: "k3"), .seconds(1000))
            #expect(
                try await base.store.report(windows).nodes == [
                    NodeReport(nodeHostname: "k1", workers: 1, services: ["blip"]),
                    NodeReport(nodeHostname: "k2", workers: 2, services: ["blip", "ocr"]),
                ])
        }
    }

    @Test("give a service's rate and what it has done within the window, over restarts", arguments: heartbeatBackends)
    func performance(_ backend: HeartbeatBackend) async throws {
        try await backend.run { base in
            try await base.insert(.of("a", completed: 100, rate: 9), .seconds(700))
            try await base.insert(.of("a", completed: 130, rate: 30), .seconds(500))
            try await base.insert(.of("a", .starting, completed: 0), .seconds(300))
            try await base.insert(.of("a", completed: 7, rate: 7), .seconds(60))
            try await base.insert(.of("b", completed: 40, rate: 2), .seconds(120))
            try await base.insert(.of("b", completed: 42, rate: 2.5), .seconds(60))
            try await base.insert(.of("c", "ocr", completed: 5, rate: 5), .seconds(900))
            let report = try await base.store.report(windows)
            let blip = try #require(report.performance.first)
            #expect(report.performance.count == 1)
            #expect(blip.serviceName == "blip")
            #expect(blip.workers == 2)
            #expect(blip.jobsPerMinute == 9.5)
            #expect(blip.jobsCompleted == 30 + 7 + 2)
        }
    }

    @Test("of status error are listed within their window, newest first", arguments: heartbeatBackends)
    func errors(_ backend: HeartbeatBackend) async throws {
        try await backend.run { base in
            try await base.insert(.of("a", .error, error: "old"), .seconds(4000))
            try await base.insert(.of("a", .error, error: "first"), .seconds(200))
            try await base.insert(.of("a", .alive, error: "none"), .seconds(150))
            try await base.insert(.of("b", "ocr", on: "k2", .error, error: "second"), .seconds(100))
            let errors = try await base.store.report(windows).errors
            #expect(errors.map(\.message) == ["second", "first"])
            #expect(errors.first?.nodeHostname == "k2")
        }
    }

    @Test(
        "of two live workers under one id are noticed; a restart, or a move to another machine, is not one",
        arguments: heartbeatBackends)
    func shared(_ backend: HeartbeatBackend) async throws {
        try await backend.run { base in
            try await base.insert(.of("boxes", on: "k1"), .seconds(60))
            try await base.insert(.of("boxes", on: "k2"), .seconds(30))
            for (count, age) in [(50, 200), (51, 140), (3, 100), (52, 80)] {
                try await base.insert(.of("counts", completed: count), .seconds(age))
            }
            try await base.insert(.of("moved", on: "k1", .stopping), .seconds(60))
            try await base.insert(.of("moved", on: "k2", .starting), .seconds(30))
            try await base.insert(.of("restarted", completed: 9), .seconds(60))
            try await base.insert(.of("restarted", .starting, completed: 0), .seconds(30))
            #expect(try await base.store.report(windows).sharedIDs == ["boxes", "counts"])
        }
    }
}
