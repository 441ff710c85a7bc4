import Foundation
import Model
import Pipeline
import Synchronization

/// A test double of an ML service that answers, and misbehaves, on cue.
public final class ScriptedService: AnalysisService {
    private struct State {
        var calls: [AnalysisSubject] = []
        var outage: String?
        var waiters: [CheckedContinuation<Void, Never>] = []
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    /// Its name.
    public let name: String
    private let script: @Sendable (AnalysisSubject, Int) async -> AnalysisOutcome
    private let state = Mutex(State())

    /// - Parameter script: the answer to a subject; the number is that of the call, from 1.
    public init(_ name: String, script: @escaping @Sendable (AnalysisSubject, Int) async -> AnalysisOutcome) {
        self.name = name
        self.script = script
    }

    /// One that always gives the same predictions.
    public convenience init(_ name: String, predictions: [JSON]) {
        self.init(name) { _, _ in .answered(.of(name, predictions)) }
    }

    /// What it was asked about, in order.
    public var calls: [AnalysisSubject] { state.withLock { $0.calls } }

    /// Whether somebody waits for the end of its outage.
    public var isAwaited: Bool { state.withLock { !$0.waiters.isEmpty } }

    /// Unless it has an outage.
    public var takesFreely: Bool { state.withLock { $0.outage == nil } }

    /// Waits until work may be taken: see `StageHandler`.
    public func permits() async throws -> Int {
        while state.withLock({ $0.outage }) != nil {
            try Task.checkCancellation()
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let over = state.withLock { state in
                        if state.outage == nil || Task.isCancelled { return true }
                        state.waiters.append(continuation)
                        return false
                    }
                    if over { continuation.resume() }
                }
            } onCancel: {
                wake()
            }
        }
        return .max
    }

    /// The outage it was given.
    public func outage() async -> String? { state.withLock { $0.outage } }

    /// Answers as the script says.
    public func analyze(_ subject: AnalysisSubject, key: UUID, heldSince: Date?) async -> AnalysisOutcome {
        let (call, watchers, outage) = state.withLock { state in
            state.calls.append(subject)
            let ready = state.watchers.filter { $0.count <= state.calls.count }.map(\.continuation)
            state.watchers.removeAll { $0.count <= state.calls.count }
            return (state.calls.count, ready, state.outage)
        }
        for watcher in watchers { watcher.resume() }
        if let outage { return .unavailable(outage) }
        return await script(subject, call)
    }

    /// Takes the service down with a reason, or brings it back.
    public func setOutage(_ reason: String?) {
        state.withLock { $0.outage = reason }
        wake()
    }

    /// Waits until it has been called so often.
    public func called(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let there = state.withLock { state in
                if state.calls.count >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if there { continuation.resume() }
        }
    }

    private func wake() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

extension Answer {
    /// A sound answer of a service.
    public static func of(_ service: String, _ predictions: [JSON], processingTime: Double = 0.01) -> Answer {
        let json = JSON.object([
            "service": .string(service), "status": "success", "predictions": .array(predictions),
            "metadata": .object(["processing_time": .double(processingTime)]),
        ])
        return Answer(body: json.bytes, processingTime: processingTime)
    }
}

/// A prediction of a detector.
public func detection(_ label: String, _ emoji: String, _ confidence: Double, _ box: Box) -> JSON {
    .object(["label": .string(label), "emoji": .string(emoji), "confidence": .double(confidence), "bbox": box.json])
}
