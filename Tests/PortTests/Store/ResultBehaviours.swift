import Foundation
import Model
import Pipeline
import Testing

@Suite("Results")
struct ResultBehaviours {
    @Test("of one job are one row, however often it is recorded", arguments: roleStores)
    func idempotent(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            let job = UUID()
            let rows = [AnalysisResult.of(image, jobID: job), .of(image, "clip"), .of(image, jobID: job)]
            try await base.store.record(rows)
            try await base.store.record(rows)
            try await base.store.record([])
            #expect(try await base.store.totals().results == 2)
        }
    }

    @Test("that were there already are named when they are recorded again", arguments: roleStores)
    func known(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            let (first, second, twice) = (UUID(), UUID(), UUID())
            #expect(try await base.store.record([]).isEmpty)
            #expect(try await base.store.record([.of(image, jobID: first)]).isEmpty)
            let known = try await base.store.record([
                .of(image, jobID: second), .of(image, status: .error, jobID: first), .of(image, jobID: twice),
                .of(image, status: .error, jobID: twice),
            ])
            #expect(known == [first, twice])
            let standing = try await base.store.standing(
                of: [first, twice].map { JobKey(imageID: image, jobID: $0, redelivered: false) }, workerID: "w1")
            #expect(standing == [.recorded(.success, error: nil), .recorded(.success, error: nil)])
        }
    }

    @Test("of an image that is not there are not taken, and named", arguments: roleStores)
    func noImage(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            let (lost, kept) = (UUID(), UUID())
            let refused = try await base.store.record([.of(image + 1, jobID: lost), .of(image, jobID: kept)])
            #expect(refused == [lost])
            #expect(try await base.store.totals().results == 1)
            let keys = [
                JobKey(imageID: image + 1, jobID: lost, redelivered: false),
                JobKey(imageID: image, jobID: kept, redelivered: false),
            ]
            let standing = try await base.store.standing(of: keys, workerID: "w1")
            #expect(standing == [.unknownImage, .recorded(.success, error: nil)])
        }
    }

    @Test("count by the largest id, not by time", arguments: roleStores)
    func newest(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await base.store.record([.of(image, "blip", #"{"n":1}"#)])
            try await base.advance(.seconds(-600))
            try await base.store.record([.of(image, "blip", #"{"n":2}"#), .of(image, "clip", #"{"n":3}"#)])
            try await base.store.record([.of(image, "clip", #"{"error":{"kind":"timeout"}}"#, status: .error)])
            let findings = try #require(try await base.store.report(on: [image]).first).findings
            #expect(findings.results.map(\.service) == ["blip", "clip"])
            #expect(findings.results.map(\.status) == [.success, .error])
            #expect(findings.successes.map(\.service) == ["blip", "clip"])
            #expect(findings.successes.map { $0.data["n"]?.integerValue } == [2, 3])
        }
    }

    @Test("keep data, seconds and time as they were given", arguments: roleStores)
    func content(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            let data = #"{"text":"é 🐈 \" \\ \u0041","deep":[[1.5e3,null]]}"#
            let before = base.now()
            try await base.store.record([.of(image, "blip", data, seconds: 1.25)])
            let after = base.now()
            let row = try #require(try await base.store.report(on: [image]).first?.findings.results.first)
            #expect(row.data.normalised == (try JSON(parsing: data)).normalised)
            #expect(row.processingTime == 1.25)
            #expect(row.created > before - base.tolerance && row.created < after + base.tolerance)
            #expect(row.imageID == image)
        }
    }

    @Test("with a service longer than its column are refused, with a longer worker id cut", arguments: storeBackends)
    func long(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            let fault = await #expect(throws: PortFault.self) {
                try await base.store.record([.of(image), .of(image, String(repeating: "s", count: 51))])
            }
            #expect(fault?.kind == .refused)
            #expect(fault?.message.contains("service") == true)
            #expect(try await base.store.totals().results == 0)
            try await base.store.record([
                .of(image, String(repeating: "s", count: 50), workerID: String(repeating: "ü", count: 60))
            ])
            #expect(try await base.select("SELECT worker_id FROM results") == [String(repeating: "ü", count: 49) + "…"])
        }
    }

    @Test("of other programs are read; malformed data is null", arguments: storeBackends)
    func foreign(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await base.execute(
                """
                INSERT INTO results (image_id, service, data, status, processing_time, worker_id) VALUES
                (\(image), 'blip', '{"predictions":[{"emoji":"🐈"}]}', 'success', 0.5, 'old'),
                (\(image), 'clip', NULL, 'success', NULL, NULL), (\(image), 'ocr', NULL, 'strange', 1, 'old')
                """)
            let findings = try #require(try await base.store.report(on: [image]).first).findings
            #expect(findings.results.map(\.service) == ["blip", "clip", "ocr"])
            #expect(findings.results.map(\.status) == [.success, .success, .error])
            #expect(findings.results[0].data["predictions"]?.arrayValue?.count == 1)
            #expect(findings.results[1].data == .null)
            #expect(abs(findings.results[0].created.timeIntervalSinceNow) < 3600)
        }
    }

    @Test("are reported by service: counts of all rows, last, percentiles of the last hour", arguments: storeBackends)
    func report(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            try await base.store.record([.of(image, "blip", seconds: 99)])
            try await base.advance(.seconds(4000))
            try await base.store.record((1...5).map { .of(image, "blip", seconds: Double($0)) })
            let before = base.now()
            try await base.store.record([
                .of(image, "blip", status: .error, seconds: 50), .of(image, "ocr", status: .error),
            ])
            let after = base.now()
            let reports = try await base.store.services()
            #expect(reports.map(\.service) == ["blip", "ocr"])
            #expect(reports[0].success == 6)
            #expect(reports[0].error == 1)
            #expect(reports[0].p50 == 3)
            #expect(abs((reports[0].p95 ?? 0) - 4.8) < 1e-9)
            let last = try #require(reports[0].last)
            #expect(last > before - base.tolerance && last < after + base.tolerance)
            #expect(reports[1].p50 == nil)
            #expect(reports[1].error == 1)
        }
    }
}

@Suite("A job's standing")
struct StandingBehaviours {
    @Test("is unknown, open or recorded, in the jobs' order", arguments: roleStores)
    func standing(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            let (done, failed) = (UUID(), UUID())
            try await base.store.record([
                .of(image, jobID: done),
                .of(image, #"{"error":{"kind":"timeout","message":"m","tries":3}}"#, status: .error, job: failed),
            ])
            let keys = [
                JobKey(imageID: image + 1, jobID: UUID(), redelivered: true),
                JobKey(imageID: image, jobID: failed, redelivered: false),
                JobKey(imageID: image, jobID: UUID(), redelivered: false),
                JobKey(imageID: image, jobID: done, redelivered: true),
            ]
            let standings = try await base.store.standing(of: keys, workerID: "w")
            #expect(standings[0] == .unknownImage)
            let error: JSON = .object(["kind": "timeout", "message": "m", "tries": 3])
            guard case .recorded(.error, let found) = standings[1] else {
                Issue.record("\(standings[1])")
                return
            }
            #expect(found?.normalised == error.normalised)
            #expect(standings[2] == .open(Image(id: image, filename: "0.jpg"), deaths: 0))
            #expect(standings[3] == .recorded(.success, error: nil))
            #expect(try await base.store.standing(of: [], workerID: "w").isEmpty)
        }
    }

    @Test(
        "counts the processes that died over it: begun redelivered, by others, never settled", arguments: roleStores)
    func deaths(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            let job = UUID()
            let again = [JobKey(imageID: image, jobID: job, redelivered: true)]
            let first = [JobKey(imageID: image, jobID: job, redelivered: false)]
            func deaths(_ keys: [JobKey], _ worker: String) async throws -> Int? {
                guard case .open(_, let deaths) = try await base.store.standing(of: keys, workerID: worker)[0] else {
                    return nil
                }
                return deaths
            }
            #expect(try await deaths(first, "w0") == 0)
            #expect(try await deaths(again, "w1") == 0)
            #expect(try await deaths(again, "w1") == 0)
            #expect(try await deaths(again, "w2") == 1)
            #expect(try await deaths(again, "w3") == 2)
            try await base.store.settle([job, UUID()], workerID: "w2")
            #expect(try await deaths(again, "w4") == 2)
            try await base.store.record([.of(image, jobID: job)])
            #expect(try await deaths(again, "w5") == nil)
            #expect(try await base.countBegun() == 0)
        }
    }

    @Test("counts another run of a worker with the same id as well", arguments: roleStores)
    func sameID(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let image = try await base.image()
            let keys = [JobKey(imageID: image, jobID: UUID(), redelivered: true)]
            _ = try await base.store.standing(of: keys, workerID: "fixed")
            let successor = try await base.connect()
            #expect(
                try await successor.standing(of: keys, workerID: "fixed") == [
                    .open(Image(id: image, filename: "0.jpg"), deaths: 1)
                ])
        }
    }
}

extension AnalysisResult {
    fileprivate static func of(_ image: ImageID, _ data: String, status: ResultStatus, job: UUID) -> AnalysisResult {
        of(image, "blip", data, status: status, jobID: job)
    }
}
