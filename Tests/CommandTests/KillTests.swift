import Foundation
import Model
import Testing

@Suite("Killed under load", .serialized)
struct KillTests {
    @Test("farm up killed ten times with jobs in flight does every job once", arguments: [false, true])
    func killedTenTimes(onServers: Bool) async throws {
        var moments = Moments("killed ten times")
        let workplace = try Workplace()
        let services = ["yolov8", "rtdetr", "detectron2", "clip", "metadata", "colors", "face", "pose"]
        let doubles = try await ServiceDoubles.start(services, delay: 0.25, in: workplace)
        try workplace.configure(doubles.ports)
        let site = onServers ? try await Site() : nil
        try site?.write(workplace)
        func count(_ sql: String) async throws -> Int {
            guard let site else { return try await workplace.count(sql) }
            return try #require(try await site.query(sql).first?.first.flatMap { Int($0) })
        }
        func messages() async throws -> Int {
            guard let site else { return try await workplace.count("SELECT count(*) FROM farm_queue") }
            return try #require(try await site.messages())
        }
        let photos = 240
        for number in 1...photos { try workplace.photo("coffee_exif_gps.jpg", as: "photos/\(number).jpg") }
        #expect(try await workplace.farm("import", "photos").status == 0)
        #expect(try await workplace.farm("produce").status == 0)
        let jobs = photos * 6
        #expect(try await messages() == jobs)

        var inFlight: [Int] = []
        for kill in 1...10 {
            // The leases of those killed before still run: only what the present process holds counts. The broker has theirs
            // back as soon as their connections end.
            let former = onServers ? 0 : try await count("SELECT coalesce(max(id), 0) FROM farm_holders")
            func held() async throws -> Int {
                if let site { return try #require(try await site.leased()) }
                return try await count("SELECT count(*) FROM farm_queue WHERE holder > \(former)")
            }
            try await eventually("nothing is in flight before start \(kill)") { try await held() == 0 }
            let newest = try await count("SELECT coalesce(max(result_id), 0) FROM results")
            let up = try workplace.start(["up"])
            try await eventually("jobs in flight before kill \(kill)") { try await held() > 0 }
            // Over which five processes died is buried, and the broker gives the same jobs first: where a machine is so slow
            // that none is answered before the kill, every third process lives until all that those before it had begun is.
            if kill % 3 == 0 {
                let answering = """
                    SELECT count(*) FROM (SELECT service FROM results WHERE result_id > \(newest)
                    GROUP BY service HAVING count(*) >= 4) AS answering
                    """
                try await eventually("all services answer before kill \(kill)") { try await count(answering) == 6 }
            }
            try await Task.sleep(for: .seconds(moments.next(0.05...0.6)))
            up.signal(SIGSTOP)
            inFlight.append(try await held())
            up.signal(SIGKILL)
            #expect(try await up.finished().status == 128 + SIGKILL)
        }
        // To `--until-idle` what the broker has not got back yet is no one's.
        if onServers { try await eventually("all is given back") { try await site?.leased() == 0 } }
        let doneBefore = try await count("SELECT count(*) FROM results")
        let last = try await workplace.farm("up", "--until-idle")
        #expect(last.status == 0, "\(last.error)")

        let rows = try await count("SELECT count(*) FROM results")
        let pairs = try await count("SELECT count(*) FROM (SELECT DISTINCT image_id, service FROM results) AS pairs")
        let consensus = try await count("SELECT count(*) FROM consensus")
        let boxes = try await count("SELECT count(*) FROM merged_boxes")
        let enrichments = try await count("SELECT count(*) FROM postprocessing WHERE status = 'success'")
        print(
            """
            killed ten times: \(jobs) jobs in; in flight at the kills \(inFlight); \(doneBefore) rows before the last run; \
            \(rows) rows, \(pairs) pairs, \(consensus) consensus, \(boxes) boxes, \(enrichments) enrichments out
            """)
        #expect(inFlight.allSatisfy { $0 > 0 })
        var calls = 0
        for service in services.prefix(5) { calls += try await doubles.calls(of: service).begun }
        // colors is asked about crops as well, so it is left out. Four are in flight at most, ServiceSettings' concurrency,
        // those included whose answers are not stored yet.
        #expect(calls <= photos * 5 + 10 * 5 * 4, "a kill costs at most the calls in flight")
        #expect(rows == jobs)
        #expect(try await count("SELECT count(*) FROM results WHERE status = 'error'") == 0)
        #expect(pairs == jobs)
        #expect(consensus == photos)
        #expect(boxes == photos * 2)
        // A person's crop goes to three services, a dog's to one.
        #expect(enrichments == photos * 4)
        if onServers {
            // The broker takes a moment for the last acknowledgements. Dead letters are in queues there, too.
            try await eventually("nothing waits, and nothing is dead") { try await messages() == 0 }
        } else {
            #expect(try await messages() == 0)
            #expect(try await count("SELECT count(*) FROM farm_dead") == 0)
        }
        try await doubles.stop()
        await site?.remove()
    }
}
