import CCurl
import Foundation
import Synchronization

/// A request on its way to the loop's thread.
struct PendingTransfer: Sendable {
    let id: Int
    let request: HTTPRequest
    let continuation: CheckedContinuation<Result<HTTPResponse, HTTPFault>, Never>

    func refuse(_ cause: String) {
        continuation.resume(
            returning: .failure(HTTPFault(.cancelled, place: URLText.place(of: request.url), cause: cause)))
    }
}

/// Whether a connection to this address may be made.
typealias AddressFilter = @Sendable (NetworkAddress) -> Bool

/// The thread that waits for the sockets of all transfers, and the inbox through which it gets work.
final class TransferLoop: Sendable {
    private struct Inbox {
        var submitted: [PendingTransfer] = []
        var cancelled: [Int] = []
        var isStopping = false

        var isEmpty: Bool { submitted.isEmpty && cancelled.isEmpty }
    }

    private static let isReady = ccurl_global_init() == CURLE_OK

    private let inbox = Mutex(Inbox())
    private let ids = Atomic(0)
    /// Used only by the loop's thread, once it has started.
    private nonisolated(unsafe) let multi: UnsafeMutableRawPointer
    private let sockets: SocketWatch
    private let addresses: AddressFilter?

    init?(addresses: AddressFilter? = nil) {
        guard TransferLoop.isReady, let sockets = SocketWatch(), let multi = curl_multi_init() else { return nil }
        (self.multi, self.sockets) = (multi, sockets)
        self.addresses = addresses
    }

    func nextID() -> Int { ids.add(1, ordering: .relaxed).newValue }

    // MARK: From any thread

    /// Starts the thread. It keeps the loop alive until it ends.
    func start() -> pthread_t? {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<TransferLoop>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, context.toOpaque())
        guard status == 0 else {
            context.release()
            inbox.withLock { $0.isStopping = true }
            curl_multi_cleanup(multi)
            return nil
        }
        return thread
    }

    /// A cancellation that came earlier is not lost: it set the task's flag before it asked for the lock.
    func submit(_ submission: PendingTransfer) {
        let refusal = inbox.withLock { inbox -> String? in
            if inbox.isStopping { return "the HTTP client is shut down" }
            if Task.isCancelled { return "cancelled" }
            wake(&inbox) { $0.submitted.append(submission) }
            return nil
        }
        if let refusal { submission.refuse(refusal) }
    }

    func cancel(_ id: Int) {
        inbox.withLock { inbox in
            if !inbox.isStopping { wake(&inbox) { $0.cancelled.append(id) } }
        }
    }

    func stop() {
        inbox.withLock { inbox in
            if !inbox.isStopping { wake(&inbox) { $0.isStopping = true } }
        }
    }

    /// Only a change that finds the inbox empty has to wake the thread, which takes everything at once.
    private func wake(_ inbox: inout Inbox, _ change: (inout Inbox) -> Void) {
        if inbox.isEmpty { sockets.wake() }
        change(&inbox)
    }

    // MARK: On its thread

    private func run() {
        let transfers = Transfers(multi, sockets, addresses: addresses)
        while true {
            let work = inbox.withLock { inbox in
                defer {
                    inbox.submitted = []
                    inbox.cancelled = []
                }
                return inbox
            }
            for submission in work.submitted { transfers.begin(submission) }
            for id in work.cancelled { transfers.cancel(id) }
            if work.isStopping { break }
            transfers.advance()
        }
        transfers.end()
        curl_multi_cleanup(multi)
    }
}
