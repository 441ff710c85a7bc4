import Foundation
import Synchronization

/// What sends a service's requests: libcurl, or a simulated network.
public protocol HTTPTransport: Sendable {
    /// Sends the request and waits for its whole answer, whatever the status.
    /// - Throws: `HTTPFault`; of kind `cancelled` when the task is cancelled.
    func perform(_ request: HTTPRequest) async throws(HTTPFault) -> HTTPResponse
}

/// HTTP by libcurl: any number of requests at once over kept connections, all on one thread of its own.
///
/// One instance serves the whole process.
public final class HTTPClient: HTTPTransport {
    private let loop: TransferLoop?
    private let thread: Mutex<pthread_t?>

    /// Starts the thread.
    public init() {
        loop = TransferLoop()
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
            await withCheckedContinuation { loop.submit(Submission(id: id, request: request, continuation: $0)) }
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
