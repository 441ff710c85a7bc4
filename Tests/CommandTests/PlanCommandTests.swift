import Foundation
import Model
import Testing

@Suite("farm plan")
struct PlanCommandTests {
    private static let figures = """
        {"services": [
            {"service": "yolov8", "workers": 2, "waiting": 1200, "seconds": {"mean": 0.5, "deviation": 0.2, "count": 900}},
            {"service": "blip", "workers": 1, "waiting": 1200, "seconds": {"mean": 2, "deviation": 0.5, "count": 900}},
            {"service": "bbox_merger", "workers": 1, "seconds": 0.001}],
         "broker": {"per_second": 1000, "from": "our own bench"}}
        """

    @Test("names what holds it up, gives a range, and says what one more worker gains")
    func file() async throws {
        let work = try Workplace()
        try work.write("plan.json", Self.figures)
        let plan = try await work.farm("plan", "--file", "plan.json", "--json")
        #expect(plan.status == 0, "\(plan.error)")
        let json = try plan.json()
        #expect(json["bottleneck"]?["service"] == "blip")
        let seconds = try ["low", "mean", "high"].map { try #require(json["seconds"]?[$0]?.numberValue) }
        #expect(seconds == seconds.sorted() && abs(seconds[1] - 602) < 2)
        let gain = try #require(json["one_more_worker"]?.arrayValue?.first)
        let sooner = try #require(gain["sooner"]?.numberValue)
        #expect(gain["service"] == "blip" && abs(sooner - 300) < 2)
        #expect(json["servers"]?.arrayValue?.first?["from"] == "our own bench")
        #expect(!FileManager.default.fileExists(atPath: work.path("farm.db")), "nothing is opened")

        let text = try await work.farm("plan", "--file", "plan.json", "--images", "100000").output
        #expect(text.contains("100000 images: ") && text.contains("← holds it up"))
        #expect(text.contains("one more worker of blip") && text.contains("not known:"))
        let soon = try await work.farm("plan", "--file", "plan.json", "--images", "100000", "--by", "2099-01-01")
        #expect(soon.output.contains("yes, with what is there"))
    }

    @Test("what it prints as figures is a file that gives the same plan")
    func figures() async throws {
        let work = try Workplace()
        try work.write("plan.json", Self.figures)
        let printed = try await work.farm("plan", "--file", "plan.json", "--figures")
        try work.write("again.json", printed.output)
        let first = try await work.farm("plan", "--file", "plan.json", "--json").json()
        let again = try await work.farm("plan", "--file", "again.json", "--json").json()
        #expect(first["seconds"] == again["seconds"])
    }

    @Test("an unusable file is exit code 2, and the field is named")
    func unusable() async throws {
        let work = try Workplace()
        for (text, message) in [
            (#"{"services": [{"service": "a", "workers": -1}]}"#, "bad.json: services[0].workers: must be 0"),
            (#"{"services": [{"service": "a"}]}"#, "services[0].workers: is missing"), ("{", "is no JSON"),
            ("", "is empty"),
        ] {
            try work.write("bad.json", text)
            let plan = try await work.farm("plan", "--file", "bad.json")
            #expect(plan.status == 2 && plan.output.isEmpty)
            #expect(plan.error.contains(message), "\(plan.error)")
        }
        for arguments in [["--file", "nowhere.json"], ["--images", "0"], ["--by", "soon"], ["--by", "2020-01-01"]] {
            let plan = try await work.farm(["plan"] + arguments)
            #expect(plan.status == 2 && !plan.error.isEmpty && plan.output.isEmpty)
        }
    }

    @Test("of a farm at work tells how long what waits takes; of one that has done nothing, that it cannot tell")
    func live() async throws {
        let scene = try await Scene(["clip", "ocr"], photos: 60)
        let work = scene.workplace
        #expect(try await work.farm("plan").output.contains("nothing waits"))
        try await scene.produce()
        let nobody = try await work.farm("plan")
        #expect(nobody.output.contains("never, as it is now: clip (no worker)"))
        #expect(nobody.status == 0)
        #expect(try await scene.upUntilIdle().status == 0)
        try await scene.doubles.stop()
        // A paused service keeps its jobs.
        #expect(try await work.farm("pause", "clip", "--by", "anna").status == 0)
        let up = try work.start(["up"], environment: Scene.impatient)
        try await eventually("the workers are there") {
            try await work.farm("plan", "--images", "10", "--json").json()["blocked"] == .array(["clip"])
        }
        #expect(try await work.farm("resume", "clip", "--by", "anna").status == 0)
        let plan = try await work.farm("plan", "--images", "1000", "--json")
        #expect(plan.status == 0, "\(plan.error)")
        let json = try plan.json()
        #expect(json["seconds"]?["mean"]?.numberValue ?? 0 > 0)
        let services = json["services"]?.arrayValue ?? []
        #expect(services.first { $0["service"] == "bbox_merger" }?["calls"]?.numberValue == 0, "there is no detector")
        #expect(
            services.first { $0["service"] == "clip" }?["from"]?.stringValue?.hasPrefix("the times of 60 answers")
                == true)
        let again = try await work.farm("plan", "--figures")
        try work.write("plan.json", again.output)
        #expect(try await work.farm("plan", "--file", "plan.json", "--images", "1000").status == 0)
        up.signal(SIGTERM)
        _ = try await up.finished()
    }
}
