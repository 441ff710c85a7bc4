import Foundation
import Logging
import Model
import Pipeline
import Telemetry
import Waiting

/// What it costs to tell of a job: the events of groups as a worker tells them, to sinks as it has them.
enum EventsBench {
    private static let groups = 2000
    /// Jobs in a group.
    private static let size = 32

    static func run() async throws -> [Figure] {
        let source = EventSource(service: "yolov8", queue: "queue_yolov8")
        let usual: [any EventSink] = [WorkerActivity(), EventLog(Jobs.silence)]
        let metrics = MetricsSink(FarmMetrics(version: "bench"), time: SystemTime())
        let streams = [
            EventStream.unheard, EventStream(source, to: usual), EventStream(source, to: usual + [metrics]),
        ]
        let seconds = try await interleaved(streams.map { stream in { tell(stream) } })
        return [
            Figure("told to nobody", seconds[0] * 1e6, "µs/job"),
            Figure("to heartbeats and log", seconds[1] * 1e6, "µs/job"),
            Figure("to heartbeats, log and metrics", seconds[2] * 1e6, "µs/job", goal: .atMost(5)),
        ]
    }

    /// - Returns: processor seconds a job.
    private static func tell(_ events: EventStream) -> Double {
        let submitted = [String](repeating: "2026-11-30T08:15:30.250Z", count: size)
        let durations = [Double](repeating: 0.125, count: size)
        let date = Date()
        let begin = Clock.thread
        for _ in 0..<groups {
            events.tell(.taken(size))
            events.tell(.admitted(submittedAt: submitted))
            for _ in 0..<size {
                events.tell(.called(ServiceCall(outcome: "success", seconds: 0.1, bytes: 4096, reported: 0.09)))
            }
            events.tell(.committed(size, seconds: 0.004))
            events.tell(.published(["queue_bbox_merge": size], seconds: 0.002))
            events.tell(.settled(Settled(.success, count: size, date: date, durations: durations)))
        }
        return (Clock.thread - begin) / Double(groups * size)
    }
}
