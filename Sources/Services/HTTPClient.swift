import Foundation
import Pictures
import Pipeline
import Synchronization

/// What sends a service's requests: libcurl, or a simulated network.
public protocol HTTPTransport: Sendable {
    /// Sends the request and waits for its whole answer, whatever the status.
    /// - Throws: `HTTPFault`; of kind `cancelled` when the task is cancelled.
    func perform(_ request: HTTPRequest) async throws(HTTPFault) -> HTTPResponse
}

/// HTTP by libcurl: any number of requests at once over kept connections, all on one thread of its own.
///
/// One instance serves all services of the process, and one the pictures where they are fetched under another policy:
/// kept connections are not shared between them.
public final class HTTPClient: HTTPTransport {
    private let loop: TransferLoop?
    private let thread: Mutex<pthread_t?>
    let policy: ImagePolicy

    /// Starts the thread.
    /// - Parameter policy: of the pictures that are fetched; where it denies private URLs, this client connects to public
    ///   addresses only, whatever a host's name leads to and however often it is redirected.
    public convenience init(policy: ImagePolicy = ImagePolicy()) {
        let isPublic: AddressFilter = { $0.isPublic }
        self.init(policy: policy, addresses: policy.deniesPrivateURLs ? isPublic : nil)
    }

    init(policy: ImagePolicy, addresses: AddressFilter?) {
        self.policy = policy
        loop = TransferLoop(addresses: addresses)
        thread = Mutex(loop?.start())
    }

    deinit { shutdown() }

    /// Sends the request and waits for its whole answer, whatever the status.
    /// - Throws: `HTTPFault`; of kind `cancelled` when the task is cancelled or the client is shut down.
    public func perform(_ request: HTTPRequest) async throws(HTTPFault) -> HTTPResponse {
        guard let loop else {
            throw HTTPFault(.other, place: URLText.place(of: request.url), cause: "libcurl could not be started")
        }
        let id = loop.nextID()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { loop.submit(PendingTransfer(id: id, request: request, continuation: $0)) }
        } onCancel: {
            loop.cancel(id)
        }
        return try result.get()
    }

    /// Ends every request with `cancelled`, and the thread.
    public func shutdown() {
        guard let running = thread.withLock({ $0.take() }) else { return }
        loop?.stop()
        pthread_join(running, nil)
    }
}
