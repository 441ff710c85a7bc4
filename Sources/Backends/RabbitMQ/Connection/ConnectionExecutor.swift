@preconcurrency import Dispatch

/// Runs an actor on its own dispatch queue. The sources of the connection enter it without a hop, and calls of the
/// library may wait for the network there.
final class ConnectionExecutor: SerialExecutor {
    let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
