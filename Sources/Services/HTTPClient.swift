import Foundation
import Pictures
import Pipeline
import Synchronization

/// Sends the requests to services: libcurl, or a simulated network.
public protocol HTTPTransport: Sendable {
    /// Sends the request and waits for the complete answer, whatever its status.
    /// - Throws: `HTTPFault`, of kind `cancelled` if the task is cancelled.
    func perform(_ request: HTTPRequest) async throws(HTTPFault) -> HTTPResponse
}

/// HTTP by libcurl: any number of requests at once over kept connections, all on one thread.
///
/// One instance serves all services of the process, and another one fetches the pictures if these have another policy.
/// They share no connections.
public final class HTTPClient: HTTPTransport {
    private let loop: TransferLoop?
    private let thread: Mutex<pthread_t?>
    let policy: ImagePolicy

    /// Starts the thread.
    /// - Parameter policy: for the pictures that are fetched. If it denies private URLs, this client connects only to
    ///   public addresses, whatever the address of a host and however often it is redirected.
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

    /// Sends the request and waits for the complete answer, whatever its status.
    /// - Throws: `HTTPFault`, of kind `cancelled` if the task is cancelled or the client is shut down.
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

    /// Ends every request with `cancelled`, and ends the thread.
    public func shutdown() {
        guard let running = thread.withLock({ $0.take() }) else { return }
        loop?.stop()
        pthread_join(running, nil)
    }
}
