import Foundation
import Model
import Testing

@Suite("Killed under load", .serialized)
struct KillTests {
    /// SplitMix64 (Steele, Lea, Flood 2014): a seed gives the same moments again.
    private struct Moments {
        var state: UInt64

        mutating func next(_ range: ClosedRange<Double>) -> Double {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            z ^= z >> 31
            return range.lowerBound + Double(z >> 11) / Double(1 << 53) * (range.upperBound - range.lowerBound)
        }
    }

    @Test("farm up killed ten times with jobs in flight does every job once")
    func killedTenTimes() async throws {
        let seed =
            ProcessInfo.processInfo.environment["FARM_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
        print("killed ten times: FARM_SEED=\(seed)")
        var moments = Moments(state: seed)
        let workplace = try Workplace()
        let services = ["yolov8", "rtdetr", "detectron2", "clip", "metadata", "colors", "face", "pose"]
        let doubles = try await ServiceDoubles.start(services, delay: 0.05, in: workplace)
        try workplace.configure(doubles.ports)
        let photos = 240
        for number in 1...photos { try workplace.photo("coffee_exif_gps.jpg", as: "photos/\(number).jpg") }
        #expect(try await workplace.farm("import", "photos").status == 0)
        #expect(try await workplace.farm("produce").status == 0)
        let jobs = photos * 6
        #expect(try await workplace.count("SELECT count(*) FROM farm_queue") == jobs)

        var inFlight: [Int] = []
        for kill in 1...10 {
            // The leases of those killed before still run: only what the present process holds counts.
            let former = try await workplace.count("SELECT coalesce(max(id), 0) FROM farm_holders")
            let held = "SELECT count(*) FROM farm_queue WHERE holder > \(former)"
            let up = try workplace.start(["up"])
            try await eventually("jobs in flight before kill \(kill)") {
                try await workplace.count(held) > 0
            }
            try await Task.sleep(for: .seconds(moments.next(0.05...0.6)))
            up.signal(SIGSTOP)
            inFlight.append(try await workplace.count(held))
            up.signal(SIGKILL)
            #expect(try await up.finished().status == 128 + SIGKILL)
        }
        let doneBefore = try await workplace.count("SELECT count(*) FROM results")
        let last = try await workplace.farm("up", "--until-idle")
        #expect(last.status == 0, "\(last.error)")

        let rows = try await workplace.count("SELECT count(*) FROM results")
        let pairs = try await workplace.count("SELECT count(*) FROM (SELECT DISTINCT image_id, service FROM results)")
        let consensus = try await workplace.count("SELECT count(*) FROM consensus")
        let boxes = try await workplace.count("SELECT count(*) FROM merged_boxes")
        let enrichments = try await workplace.count("SELECT count(*) FROM postprocessing WHERE status = 'success'")
        print(
            """
            killed ten times: \(jobs) jobs in; in flight at the kills \(inFlight); \(doneBefore) rows before the last run; \
            \(rows) rows, \(pairs) pairs, \(consensus) consensus, \(boxes) boxes, \(enrichments) enrichments out
            """)
        #expect(inFlight.allSatisfy { $0 > 0 })
        var calls = 0
        for service in services.prefix(5) { calls += try await doubles.calls(of: service).begun }
        // colors is asked about crops as well, so it is left out.
        #expect(calls <= photos * 5 + inFlight.reduce(0, +), "a kill costs at most the calls in flight")
        #expect(rows == jobs)
        #expect(pairs == jobs)
        #expect(consensus == photos)
        #expect(boxes == photos * 2)
        // A person's crop goes to three services, a dog's to one.
        #expect(enrichments == photos * 4)
        #expect(try await workplace.count("SELECT count(*) FROM farm_queue") == 0)
        #expect(try await workplace.count("SELECT count(*) FROM farm_dead") == 0)
        try await doubles.stop()
    }
}
