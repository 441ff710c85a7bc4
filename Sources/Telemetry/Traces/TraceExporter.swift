import Logging
import Model
import Pipeline
import Waiting

/// Sends spans to a collector, in batches, by OTLP over HTTP as JSON (OpenTelemetry Protocol Specification 1.3).
///
/// If the collector is away, only spans are lost: work never waits for it, and at most `limit` spans are held.
package final class TraceExporter: SpanSink {
    private struct State: Sendable {
        var spans: [Span] = []
        var lost = 0
        var isFinished = false

        mutating func takeAll() -> [Span] {
            defer { spans = [] }
            return spans
        }
    }

    /// How many spans are held. Further spans are lost.
    private static let limit = 8192
    /// This many spans are sent at once.
    private static let batch = 512
    /// Fewer spans are sent after this time.
    private static let delay = Duration.seconds(1)
    /// How long the end of the program waits for the last spans.
    private static let farewell = Duration.seconds(2)

    private let resource: TraceResource
    private let time: any Timekeeper
    private let log: Logger
    private let send: @Sendable ([UInt8]) async throws -> Void
    private let state = Watched(State())

    /// - Parameter send: posts the body of a request. If it is not accepted, throws an error that people can read.
    package init(
        _ resource: TraceResource, time: any Timekeeper, log: Logger,
        send: @escaping @Sendable ([UInt8]) async throws -> Void
    ) {
        self.resource = resource
        self.time = time
        self.log = log
        self.send = send
    }

    /// Keeps the span until it is sent. If too many are waiting, the span is lost.
    package func record(_ span: Span) {
        state.change { state in
            if state.spans.count < TraceExporter.limit { state.spans.append(span) } else { state.lost += 1 }
        }
    }

    /// Sends spans while `body` runs, and then those that are left.
    package func during<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.run() }
            defer { group.cancelAll() }
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            state.change { $0.isFinished = true }
            group.addTask { try? await self.time.sleep(TraceExporter.farewell) }
            try await group.next()
            return try result.get()
        }
    }

    private func run() async {
        var isAway = false
        while await state.wait(until: { $0.spans.isEmpty && !$0.isFinished ? nil : true }) != nil {
            await gather()
            let (spans, isFinished) = state.change { ($0.takeAll(), $0.isFinished) }
            if !spans.isEmpty { await export(spans, &isAway) }
            if isFinished { return }
        }
    }

    /// Returns when there is a batch, or after a moment.
    private func gather() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = await self.state.wait { $0.spans.count >= TraceExporter.batch || $0.isFinished ? true : nil }
            }
            group.addTask { try? await self.time.sleep(TraceExporter.delay) }
            await group.next()
            group.cancelAll()
        }
    }

    private func export(_ spans: [Span], _ isAway: inout Bool) async {
        do {
            try await send(TraceText.request(spans, of: resource))
            let lost = state.change(TraceExporter.takeLost)
            if isAway { log.notice("traces are taken again") }
            if lost > 0 { log.notice("\(lost) spans were lost") }
            isAway = false
        } catch {
            state.change { $0.lost += spans.count }
            if !isAway { log.warning("traces are not taken, work goes on: \(error)") }
            isAway = true
        }
    }

    private static func takeLost(_ state: inout State) -> Int {
        defer { state.lost = 0 }
        return state.lost
    }
}
