import Foundation
import Servers
import Testing

@Suite("Drained under load", .serialized)
struct DrainTests {
    /// No limit of time ends what is in flight.
    private static let patient = ["SHUTDOWN_TIMEOUT": "250", "RETRY_DELAY": "0"]

    @Test(
        "SIGTERM at ten random moments loses no job and asks no service twice", arguments: [false, true])
    func drainedTenTimes(onServers: Bool) async throws {
        var moments = Moments("drained ten times")
        // No detector: without boxes nobody asks for crop services.
        let services = ["blip", "clip", "metadata"]
        let workplace = try Workplace()
        let doubles = try await ServiceDoubles.start(services, delay: 0.03, in: workplace)
        try workplace.configure(doubles.ports)
        let site = onServers ? try await Site() : nil
        try site?.write(workplace)
        let photos = 150
        try workplace.photos((1...photos).map { "photos/\($0).jpg" })
        #expect(try await workplace.farm("import", "photos").status == 0)
        #expect(try await workplace.farm("produce").status == 0)
        func count(_ sql: String) async throws -> Int {
            guard let site else { return try await workplace.count(sql) }
            return try #require(try await site.query(sql).first?.first.flatMap { Int($0) })
        }
        func begun() async throws -> Int {
            var sum = 0
            for service in services { sum += try await doubles.calls(of: service).begun }
            return sum
        }

        let jobs = photos * services.count
        var rows: [Int] = []
        for drain in 1...10 where rows.last ?? 0 < jobs {
            let before = try await begun()
            let up = try workplace.start(["up"], environment: DrainTests.patient)
            if before < jobs {
                try await eventually("calls before drain \(drain)") { try await begun() > before }
            }
            // No event: the moment is what is drawn.
            try await Task.sleep(for: .seconds(moments.next(0...0.3)))
            up.signal(SIGTERM)
            #expect(try await up.finished().status == 0, "\(up.error)")
            rows.append(try await count("SELECT count(*) FROM results"))
            #expect(try await begun() == rows.last, "every call that was made has its row when the process has ended")
        }
        let last = try await workplace.farm("up", "--until-idle", environment: DrainTests.patient)
        #expect(last.status == 0, "\(last.error)")
        print("drained ten times: \(jobs) jobs; rows after each \(rows); \(try await begun()) calls in all")
        #expect(try await count("SELECT count(*) FROM results") == jobs)
        #expect(try await count("SELECT count(*) FROM consensus") == photos)
        #expect(try await begun() == jobs)
        try await doubles.stop()
        await site?.remove()
    }
}
