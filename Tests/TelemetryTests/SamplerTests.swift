import Doubles
import Foundation
import Logging
import Pipeline
import Synchronization
import Testing

@testable import Telemetry

/// A test double of a source: what it tells, and how often it was asked.
private final class SourceDouble<Value: Sendable>: Sendable {
    private let state: Mutex<(asked: Int, answer: Result<[Value], PortFault>)>

    init(_ rows: [Value]) { state = Mutex((0, .success(rows))) }

    var asked: Int { state.withLock { $0.asked } }

    func answer(_ answer: Result<[Value], PortFault>) { state.withLock { $0.answer = answer } }

    func ask() throws -> [Value] {
        try state.withLock { state in
            state.asked += 1
            return try state.answer.get()
        }
    }
}

@Suite("The sampler")
struct SamplerTests {
    private static let away = PortFault(.transient, place: "k2", message: "away")

    private let time = ManualTime(Date(timeIntervalSince1970: 1_000_000))
    private let metrics = FarmMetrics(version: "1")
    private let depths = SourceDouble([
        QueueDepth(queue: "queue_clip", waiting: 5, inFlight: 2, dead: 1),
        QueueDepth(queue: "queue_ocr", waiting: 0, inFlight: nil, held: 3, dead: 0, consumers: 4),
    ])
    private let workers = SourceDouble([SeenWorkers(service: "clip", host: "k3", age: 30)])

    /// Runs the sampler, as long as `body` takes.
    private func sampling(_ body: () async throws -> Void) async throws {
        let sampler = Sampler(
            metrics: metrics, time: time, log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            queues: { [depths] in
                let depths = try depths.ask()
                return Sampler.Queues(depths: depths, oldest: depths.map { $0.waiting > 0 ? 90 : nil })
            }, workers: { [workers] in try workers.ask() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await sampler.run() }
            // Each source has looked and rests.
            await time.sleepers(2)
            try await body()
            group.cancelAll()
        }
    }

    private func lines(of name: String) -> [String] {
        metrics.registry.text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(name) }
    }

    @Test("tells how full the queues are, as far as each can tell, and when workers were seen")
    func values() async throws {
        try await sampling {
            #expect(
                lines(of: "farm_queue_messages") == [
                    #"farm_queue_messages{queue="queue_clip",state="dead"} 1"#,
                    #"farm_queue_messages{queue="queue_clip",state="in_flight"} 2"#,
                    #"farm_queue_messages{queue="queue_clip",state="ready"} 5"#,
                    #"farm_queue_messages{queue="queue_ocr",state="dead"} 0"#,
                    #"farm_queue_messages{queue="queue_ocr",state="ready"} 0"#,
                ])
            #expect(lines(of: "farm_queue_oldest") == [#"farm_queue_oldest_seconds{queue="queue_clip"} 90"#])
            #expect(lines(of: "farm_queue_consumers") == [#"farm_queue_consumers{queue="queue_ocr"} 4"#])
            #expect(
                lines(of: "farm_worker_last") == [
                    #"farm_worker_last_heartbeat_timestamp_seconds{service="clip",host="k3"} 999970"#
                ])
        }
    }

    @Test("asks nothing more however often it is read")
    func scrapes() async throws {
        try await sampling {
            for _ in 0..<100 { _ = metrics.registry.text }
            #expect(depths.asked == 1 && workers.asked == 1)
            time.advance(by: Sampler.interval)
            await time.sleepers(2)
            #expect(depths.asked == 2 && workers.asked == 2)
        }
    }

    @Test("keeps what it saw of a source that is away, and shows its age; the other goes on")
    func failure() async throws {
        try await sampling {
            depths.answer(.failure(SamplerTests.away))
            workers.answer(.success([SeenWorkers(service: "clip", host: "k3", age: 0)]))
            time.advance(by: Sampler.interval)
            await time.sleepers(2)
            #expect(lines(of: "farm_queue_messages").count == 5)
            #expect(
                lines(of: "farm_sample_timestamp_seconds") == [
                    #"farm_sample_timestamp_seconds{source="queues"} 1000000"#,
                    #"farm_sample_timestamp_seconds{source="workers"} 1000015"#,
                ])
            depths.answer(.success([]))
            time.advance(by: Sampler.interval)
            await time.sleepers(2)
            #expect(lines(of: "farm_queue_messages").isEmpty)
            #expect(
                lines(of: #"farm_sample_timestamp_seconds{source="queues"}"#)
                    == [#"farm_sample_timestamp_seconds{source="queues"} 1000030"#])
        }
    }

    @Test("looks less often at what is slow to tell")
    func slowness() {
        let rests = [0, 0.5, 2, 100].map { Sampler.rest(after: .seconds($0)) }
        #expect(rests == [.seconds(15), .seconds(15), .seconds(40), .seconds(300)])
        // A wall clock that is set back.
        #expect(Sampler.rest(after: .seconds(-100)) == .seconds(15))
    }
}
