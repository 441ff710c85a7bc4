import Foundation
import Model
import Pipeline
import Roles

/// Says why a queue has been full for a while: it is paused, its service is down, or it has no worker. The others go on.
package actor FullQueueWatch {
    /// A call may take a while.
    private static let patience = 5.0
    /// How often the store is asked.
    private static let interval: TimeInterval = 5

    private let store: any WorkerRegister & ControlRecords
    private let tell: @Sendable (String) -> Void
    private var looked = Date.distantPast
    /// What was said of each queue.
    private var said: [String: String] = [:]

    /// - Parameter tell: receives one line for people.
    package init(store: any WorkerRegister & ControlRecords, tell: @escaping @Sendable (String) -> Void) {
        self.store = store
        self.tell = tell
    }

    /// To be called after every look at the queues.
    package func look(at lanes: [LaneStanding]) async {
        for lane in lanes where lane.stillSeconds == 0 { said[lane.target.queue] = nil }
        let full = lanes.filter { $0.stillSeconds >= FullQueueWatch.patience && $0.fault == nil }
        guard !full.isEmpty, abs(Date().timeIntervalSince(looked)) >= FullQueueWatch.interval else { return }
        looked = Date()
        guard let workers = try? await store.liveWorkers() else { return }
        let control = try? await store.control()
        for lane in full {
            let depth = QueueDepth(queue: lane.target.queue, waiting: lane.waiting, inFlight: nil, dead: 0)
            let state = QueueState(
                depth, workers: workers.filter { $0.queue == lane.target.queue },
                control: control?[lane.target.service])
            guard let why = state.why, said[lane.target.queue] != why else { continue }
            said[lane.target.queue] = why
            let wayOut = why == "no worker" ? " (\(WorkerHint.wayOut(for: [lane.target.service])))" : ""
            tell("\(lane.target.queue) is full and nothing is taken: \(why)\(wayOut)")
        }
    }
}
