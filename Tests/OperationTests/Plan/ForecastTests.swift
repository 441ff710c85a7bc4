import Doubles
import Foundation
import Model
import Operations
import Testing

@Suite("The arithmetic of a plan")
struct ForecastTests {
    private typealias Stage = PlanFigures.Stage

    /// Figures of some farm, always the same for the same seed.
    private static func figures(_ seed: UInt64) -> PlanFigures {
        var generator = SplitMix64(seed: seed)
        func number(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &generator) }
        func stage(_ name: String) -> Stage {
            let isRole = PostProcessing(rawValue: name) != nil
            let concurrency = Int.random(in: 1...8, using: &generator)
            let seconds = Measure(number(0.001...3), deviation: number(0...2), count: number(30...10_000))
            var stage = Stage(
                service: name, jobsPerImage: isRole ? 0 : 1,
                derivedPerImage: Measure(isRole ? number(0.1...3) : Bool.random(using: &generator) ? number(0...6) : 0),
                waiting: Int.random(in: 0...5000, using: &generator), workers: Int.random(in: 1...5, using: &generator),
                concurrency: isRole ? nil : concurrency, pace: Pace(seconds: seconds, concurrency: concurrency))
            stage.pace?.isAtLeast = Int.random(in: 0..<6, using: &generator) == 0
            if Int.random(in: 0..<5, using: &generator) == 0 { stage.limit = number(0.5...50) }
            return stage
        }
        let names = ["yolov8", "blip", "colors", "ocr", "bbox_merger", "spatial_enrichment", "consensus"]
        return PlanFigures(
            stages: names.map(stage), broker: .init(perSecond: number(100...50_000), origin: "test"),
            database: .init(perSecond: number(100...50_000), origin: "test"))
    }

    private static let works: [PlannedWork] = [.waiting, .images(1), .images(1000), .images(100_000_000)]

    @Test("a range holds what is most likely, and more images never take less", arguments: UInt64(1)...200)
    func ranges(_ seed: UInt64) throws {
        let figures = Self.figures(seed)
        for work in Self.works {
            let forecast = Forecast(figures, work)
            for span in forecast.stages.compactMap(\.seconds) + [forecast.seconds].compactMap({ $0 }) {
                #expect(span.low <= span.mean && span.mean <= span.high && span.low >= 0 && span.high.isFinite)
            }
        }
        var last = Span.zero
        for images in [1, 10, 1000, 1_000_000] {
            let span = try #require(Forecast(figures, .images(images)).seconds)
            #expect(span.mean >= last.mean && span.high >= last.high)
            last = span
        }
    }

    @Test(
        "more workers are never later, and no stage alone decides more than the bottleneck", arguments: UInt64(1)...200)
    func workers(_ seed: UInt64) throws {
        let figures = Self.figures(seed)
        for work in Self.works {
            let forecast = Forecast(figures, work)
            let now = try #require(forecast.seconds)
            for stage in forecast.stages {
                for workers in [1, 2, 50] {
                    let then = try #require(
                        Forecast(figures.adding(workers, to: stage.figures.service), work).seconds)
                    #expect(then.mean <= now.mean * (1 + 1e-12) && then.high <= now.high * (1 + 1e-12))
                }
            }
            for gain in Advice(forecast).ofWorkers + Advice(forecast).ofBoxes {
                #expect(gain.sooner ?? 0 >= 0)
                // Where only one decides, only its workers gain.
                guard let bottleneck = forecast.bottleneck, gain.service != bottleneck.figures.service else { continue }
                #expect(gain.sooner ?? 0 <= now.mean * 1e-9)
            }
        }
    }

    @Test("taking away the bottleneck gains, unless another one is as slow", arguments: UInt64(1)...200)
    func bottleneck(_ seed: UInt64) throws {
        let figures = Self.figures(seed)
        for work in Self.works {
            let forecast = Forecast(figures, work)
            let bottleneck = try #require(forecast.bottleneck)
            guard bottleneck.figures.limit == nil, bottleneck.figures.pace?.isAtLeast == false else { continue }
            let gain = Advice(forecast).gain(bottleneck.figures.service, 1000)
            let ties = forecast.stages.count { $0.seconds?.mean == bottleneck.seconds?.mean }
            #expect(ties > 1 || gain.sooner ?? 0 > 0)
        }
    }

    @Test("who adds what is needed is done in time, and one worker less is not", arguments: UInt64(1)...200)
    func needs(_ seed: UInt64) throws {
        var figures = Self.figures(seed)
        for place in figures.stages.indices {
            figures.stages[place].limit = nil
            figures.stages[place].pace?.isAtLeast = false
        }
        for factor in [0.01, 0.3, 0.9, 1.5] {
            let forecast = Forecast(figures, .images(100_000))
            let seconds = try #require(forecast.seconds).mean * factor
            guard let needs = Advice(forecast).needs(within: seconds) else {
                #expect(forecast.tail >= seconds)
                continue
            }
            var (then, safe) = (figures, figures)
            for need in needs {
                then = then.adding(try #require(need.workers), to: need.service)
                safe = safe.adding(try #require(need.safeWorkers), to: need.service)
                #expect(need.safeWorkers ?? 0 >= need.workers ?? 0)
            }
            #expect(try #require(Forecast(then, .images(100_000)).seconds).mean <= seconds * 1.000001)
            #expect(
                try #require(Forecast(safe, .images(100_000)).seconds).high <= (seconds - forecast.tail) * 1.000001
                    + forecast.tail)
            for need in needs where need.workers ?? 0 > 0 {
                let short = then.adding(-1, to: need.service)
                #expect(try #require(Forecast(short, .images(100_000)).seconds).mean > seconds)
            }
        }
    }

    @Test("what varies more, or was measured less, has a wider range")
    func width() throws {
        func width(_ deviation: Double, _ count: Double, _ images: Int) throws -> Double {
            let pace = Pace(seconds: Measure(1, deviation: deviation, count: count), concurrency: 1)
            let stage = Stage(service: "blip", workers: 1, pace: pace)
            let span = try #require(Forecast(PlanFigures(stages: [stage]), .images(images)).seconds)
            return span.high / span.mean
        }
        #expect(try width(0.5, 100, 1000) > width(0.1, 100, 1000))
        #expect(try width(0.5, 100, 1000) > width(0.5, 10_000, 1000))
        #expect(try width(0.5, 10_000, 10) > width(0.5, 10_000, 1000))
    }

    @Test("minutes and single answers tell the same")
    func paces() {
        // 120 calls a minute, each of half a second with a deviation of as much: counts vary by the square root.
        let single = Pace(seconds: Measure(0.5, deviation: 0.5, count: 1200), concurrency: 1)
        let minutes = Pace(perSecond: Measure(2, deviation: 120.0.squareRoot() / 60, count: 10))
        #expect(single.perSecond == minutes.perSecond && single.count == minutes.count)
        #expect(abs(single.dispersion - minutes.dispersion) < 1e-9)
    }

    @Test("a service without workers, paused or never measured, is named, and nothing is invented")
    func unknown() throws {
        let pace = Pace(seconds: Measure(0.1, deviation: 0.01, count: 100), concurrency: 1)
        let known = Stage(service: "clip", waiting: 100, workers: 1, pace: pace)
        let nobody = Stage(service: "blip", waiting: 100, workers: 0, pace: pace)
        let blocked = Forecast(PlanFigures(stages: [known, nobody]), .waiting)
        #expect(blocked.seconds == nil && blocked.blocked.map(\.figures.service) == ["blip"])
        #expect(Advice(blocked).gain("blip", 1).seconds != nil)
        var paused = known
        paused.halt = "paused by anna"
        #expect(Forecast(PlanFigures(stages: [paused]), .waiting).seconds == nil)
        let unmeasured = Stage(service: "ocr", waiting: 10, workers: 2, pace: nil)
        let partly = FarmPlan(PlanFigures(stages: [known, unmeasured]), .waiting, now: Date())
        #expect(partly.forecast.unknown.map(\.figures.service) == ["ocr"])
        #expect(partly.forecast.seconds != nil && !partly.isUnknown)
        #expect(partly.unknown.contains { $0.hasPrefix("ocr: too little was measured") })
        let nothing = FarmPlan(
            PlanFigures(stages: [unmeasured]), .waiting, by: Date().addingTimeInterval(60), now: Date())
        #expect(nothing.isUnknown && nothing.deadline?.isMet == nil && nothing.json["seconds"] == .null)
        let idle = FarmPlan(PlanFigures(stages: [Stage(service: "ocr", workers: 0, pace: nil)]), .waiting, now: Date())
        #expect(idle.forecast.isNothing && !idle.isUnknown && idle.forecast.seconds == .zero)
    }

    @Test(
        "what waits brings what follows from it, once: crops of images that are merged, not of those that colors has answered"
    )
    func follows() throws {
        let pace = Pace(perSecond: 10)
        var stages = [
            Stage(service: "yolov8", waiting: 100, workers: 1, pace: pace),
            Stage(service: "clip", waiting: 900, workers: 1, pace: pace),
            Stage(service: "colors", derivedPerImage: Measure(4), waiting: 500, workers: 1, pace: pace),
            Stage(
                service: "bbox_merger", jobsPerImage: 0, derivedPerImage: Measure(1), waiting: 30, workers: 1,
                pace: pace),
            Stage(
                service: "spatial_enrichment", jobsPerImage: 0, derivedPerImage: Measure(1), waiting: 200, workers: 1,
                pace: pace),
            Stage(
                service: "consensus", jobsPerImage: 0, derivedPerImage: Measure(2), waiting: 7, workers: 1, pace: pace),
        ]
        func calls() -> [Double] { Forecast(PlanFigures(stages: stages), .waiting).stages.map(\.calls) }
        var wanted: [Double] = [100, 900, 1300, 130, 300, 1807]
        #expect(calls() == wanted)
        stages[0].waiting = 0
        stages[4].waiting = 0
        wanted = [0, 900, 620, 30, 30, 1807]
        #expect(calls() == wanted)
    }

    @Test("broker and database have their share of what is planned, and say when they are full")
    func servers() throws {
        let pace = Pace(seconds: Measure(0.001, count: 1000), concurrency: 10)
        let stages = ["clip", "blip"].map { Stage(service: $0, workers: 1, pace: pace) }
        let figures = PlanFigures(
            stages: stages, broker: .init(perSecond: 1000, origin: "a bench"),
            database: .init(perSecond: 3000, perImage: 6, origin: "another one"))
        let end = Date(timeIntervalSince1970: 1_790_000_000)
        let plan = FarmPlan(figures, .images(1_000_000), by: end.addingTimeInterval(1000), now: end)
        let loads = plan.advice.loads()
        #expect(loads.map(\.server) == ["broker", "database"])
        #expect(loads.map(\.imagesPerSecond) == [500, 500] && loads.map(\.origin) == ["a bench", "another one"])
        // 1,000 images a second.
        #expect(plan.deadline?.saturated.map(\.share) == [2, 2])
    }
}
