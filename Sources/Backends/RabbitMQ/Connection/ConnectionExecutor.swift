@preconcurrency import Dispatch

/// Runs an actor on a dispatch queue of its own, which the connection's sources enter without a hop and where calls into
/// the library may wait for the network.
final class ConnectionExecutor: SerialExecutor {
    let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
