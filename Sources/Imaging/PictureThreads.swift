import Dispatch
import Foundation
import Pictures
import Pipeline
import Synchronization

/// A few threads for work that blocks or computes for a long time. When this is released, they finish the work that
/// waits, and end.
final class PictureThreads: Sendable {
    typealias Work = @Sendable () -> Void

    private let line = WaitingLine()
    private let count: Int

    /// - Parameter name: the name that the system shows for the threads, at most 15 characters.
    init(_ name: String, count: Int) {
        self.count = max(1, count)
        for _ in 0..<self.count {
            let thread = Thread { [line] in
                Vips.nameThread(name)
                while let work = line.next() { work() }
                Vips.endThread()
            }
            thread.start()
        }
    }

    deinit {
        line.close(threads: count)
    }

    /// Does `work` on one of the threads, in the order of the calls. The task waits without occupying a thread.
    func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws(PictureFault) -> Value
    ) async throws(PictureFault) -> Value {
        let result = await withCheckedContinuation {
            (waiter: CheckedContinuation<Result<Value, PictureFault>, Never>) in
            line.append { waiter.resume(returning: Result(catching: work)) }
        }
        return try result.get()
    }
}

private final class WaitingLine: Sendable {
    private let waiting = Mutex<[PictureThreads.Work]>([])
    private let arrivals = DispatchSemaphore(value: 0)

    func append(_ work: @escaping PictureThreads.Work) {
        waiting.withLock { $0.append(work) }
        arrivals.signal()
    }

    /// Waits for work. nil when the line is closed and empty. There is one signal for each piece of work and each
    /// thread.
    func next() -> PictureThreads.Work? {
        arrivals.wait()
        return waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    func close(threads: Int) {
        for _ in 0..<threads { arrivals.signal() }
    }
}
