import Foundation
import Model
import Operations
import SimulatedWorld
import Testing

/// What a plan says, against a simulated farm with the same figures: real roles in simulated time.
@Suite("A plan, and a simulated farm with the same figures")
struct PlannedRunTests {
    /// Of simulated calls: the variance of their times, relative to the squared mean.
    private static let dispersion = 0.8
    private static let concurrency = 4
    private static let images = 200
    private static let runs = 4

    private func stage(_ service: String, _ milliseconds: Int, boxes: Int, jobs: Double = 1, crops: Double = 0)
        -> PlanFigures.Stage
    {
        let mean = Double(milliseconds) / 1000
        return PlanFigures.Stage(
            service: service, jobsPerImage: jobs, derivedPerImage: Measure(crops), workers: boxes, boxes: boxes,
            concurrency: Self.concurrency,
            pace: Pace(
                seconds: Measure(mean, deviation: mean * Self.dispersion.squareRoot(), count: 1000),
                concurrency: Self.concurrency))
    }

    /// Runs the simulation on a thread of its own, which nothing else may disturb.
    private func simulate(_ run: CalmRun) async -> CalmRun.Report? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: run.report()) }
        }
    }

    private func compare(
        _ detectors: [String: Int], _ others: [String: Int],
        crops: [String: Int] = ["colors": 5, "face": 5, "pose": 5], things: Int, boxes: Int = 1,
        bottleneck: String?
    ) async throws {
        // One run may be quick or slow; what they are on average is what the plan is about.
        var reports: [CalmRun.Report] = []
        for seed in 1...Self.runs {
            let run = CalmRun(
                seed: UInt64(seed), images: Self.images, detectors: detectors, others: others, crops: crops,
                things: things, concurrency: Self.concurrency, boxes: boxes)
            let report = try #require(await simulate(run))
            #expect(report.images == Self.images)
            reports.append(report)
        }
        let perImage = Double(reports.reduce(0) { $0 + $1.boxes }) / Double(Self.images * Self.runs)
        let spans = detectors.merging(others) { first, _ in first }
        var stages = spans.sorted { $0.key < $1.key }.map {
            stage($0.key, $0.value, boxes: boxes, crops: crops[$0.key] == nil ? 0 : perImage)
        }
        for (service, span) in crops where spans[service] == nil {
            stages.append(stage(service, span, boxes: 1, jobs: 0, crops: perImage))
        }
        let forecast = Forecast(PlanFigures(stages: stages), .images(Self.images))
        let planned = try #require(forecast.seconds)
        let seconds = reports.map(\.seconds)
        let mean = seconds.reduce(0, +) / Double(seconds.count)
        #expect(abs(planned.mean / mean - 1) < 0.15, "planned \(planned), simulated \(seconds)")
        let inside = seconds.count { (planned.low...planned.high).contains($0) }
        #expect(inside > seconds.count / 2, "planned \(planned), simulated \(seconds)")
        print("planned \(planned.mean) s, simulated \(mean) s")
        if let bottleneck { #expect(forecast.bottleneck?.figures.service == bottleneck) }
    }

    @Test("agree where one service is slow")
    func slow() async throws {
        try await compare(["yolov8": 100], ["blip": 800, "clip": 100], things: 2, bottleneck: "blip")
    }

    @Test("agree where the slow service has three workers")
    func three() async throws {
        try await compare(["yolov8": 100], ["blip": 800, "clip": 100], things: 2, boxes: 3, bottleneck: "blip")
    }

    @Test("agree where all services are alike")
    func alike() async throws {
        try await compare(["yolov8": 300, "rtdetr": 300], ["blip": 300, "clip": 300], things: 2, bottleneck: nil)
    }

    @Test("agree where crops for colors outnumber the images four to one")
    func crops() async throws {
        // Of five things, the detector sees four.
        try await compare(
            ["yolov8": 100], ["clip": 100, "colors": 200], crops: ["colors": 200, "face": 10, "pose": 10], things: 5,
            bottleneck: "colors")
    }
}
