import Foundation
import Synchronization

/// What the server received.
package struct Received: Sendable {
    package var method: String
    package var target: String
    /// Names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]
    /// Which connection it came over, from 1.
    package var connection: Int
    /// Which request to this path it is, from 1.
    package var number: Int

    package var path: String { String(target.prefix { $0 != "?" }) }
    package var query: String { String(target.drop { $0 != "?" }.dropFirst()) }
}

/// What the server does with a request.
package enum Behaviour: Sendable {
    case answer(Int, [UInt8], headers: [String: String] = [:])
    /// Answers, lets the client believe that the connection is kept, and closes it.
    case answerAndClose([UInt8])
    /// Answers, and resets the connection when the next request begins to come.
    case answerAndResetNext([UInt8])
    /// Promises more bytes than come.
    case cutShort(promised: Int, [UInt8])
    case close
    /// Some of the body, then a TCP reset.
    case reset(promised: Int, [UInt8])
    /// Nothing until the client goes away.
    case hang
    /// What is sent is no HTTP.
    case garbage([UInt8])

    package static func json(_ text: String, status: Int = 200, headers: [String: String] = [:]) -> Behaviour {
        .answer(status, Array(text.utf8), headers: headers)
    }

    /// A sound answer without predictions.
    package static let success = Behaviour.json(#"{"status": "success", "predictions": []}"#)
}

/// An HTTP server on a loopback port whose script says how it misbehaves; a thread for each connection.
package final class MisbehavingServer: Sendable {
    package typealias Script = @Sendable (Received) -> Behaviour

    private struct State {
        var listener: Int32 = -1
        var isListening = false
        var open: Set<Int32> = []
        var connections = 0
        var requests: [Received] = []
        var inFlight = 0
        var mostInFlight = 0
        var watchers: [(isTrue: @Sendable ([Received]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    package let port: Int
    private let script: Script
    private let state = Mutex(State())

    /// - Parameter listening: false reserves the port, where connections are refused until `listen`.
    package init(listening: Bool = true, _ script: @escaping Script = { _ in .success }) throws {
        self.script = script
        let (listener, port) = try MisbehavingServer.bound(to: 0)
        self.port = port
        state.withLock { $0.listener = listener }
        if listening { listen() }
    }

    deinit { stop() }

    package var requests: [Received] { state.withLock { $0.requests } }
    package var connections: Int { state.withLock { $0.connections } }
    package var mostInFlight: Int { state.withLock { $0.mostInFlight } }

    /// Waits until the requests received so far make it true.
    package func received(_ isTrue: @escaping @Sendable ([Received]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let already = state.withLock { state in
                if isTrue(state.requests) { return true }
                state.watchers.append((isTrue, continuation))
                return false
            }
            if already { continuation.resume() }
        }
    }

    package func listen() {
        let listener = state.withLock { state in
            state.isListening = true
            return state.listener
        }
        _ = Glibc.listen(listener, 128)
        let server = Weak(self)
        let thread = Thread {
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                guard let server = server.value else {
                    close(connection)
                    break
                }
                server.begin(connection)
            }
            // Closed by the thread that uses it: its number may be another server's at once.
            close(listener)
        }
        thread.start()
    }

    /// Ends every connection, and the listening.
    private func stop() {
        state.withLock { state in
            for connection in state.open { shutdown(connection, Int32(SHUT_RDWR)) }
            if state.isListening { shutdown(state.listener, Int32(SHUT_RDWR)) } else { close(state.listener) }
        }
    }

    package static func bound(to port: UInt16) throws -> (Int32, Int) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) != 0 || getsockname(listener, $0, &length) != 0
            }
        }
        if failed { throw POSIXError(.EADDRINUSE) }
        return (listener, Int(UInt16(bigEndian: address.sin_port)))
    }

    private func begin(_ connection: Int32) {
        let number = state.withLock { state in
            state.connections += 1
            state.open.insert(connection)
            return state.connections
        }
        let server = Weak(self)
        let thread = Thread {
            var stream = ServerStream(connection)
            while let head = stream.readRequest(), let server = server.value {
                guard server.serve(head, stream, number) else { break }
            }
            _ = server.value?.state.withLock { $0.open.remove(connection) }
            close(connection)
        }
        thread.start()
    }

    /// - Returns: whether the connection is kept.
    private func serve(_ head: ServerStream.Request, _ stream: ServerStream, _ connection: Int) -> Bool {
        var request = Received(
            method: head.method, target: head.target, headers: head.headers, body: head.body, connection: connection,
            number: 0)
        let (numbered, awake) = state.withLock { state in
            request.number = state.requests.count { $0.path == request.path } + 1
            state.requests.append(request)
            state.inFlight += 1
            state.mostInFlight = max(state.mostInFlight, state.inFlight)
            let awake = state.watchers.filter { $0.isTrue(state.requests) }.map(\.continuation)
            state.watchers.removeAll { $0.isTrue(state.requests) }
            return (request, awake)
        }
        for watcher in awake { watcher.resume() }
        let behaviour = script(numbered)
        // The client may send the next request as soon as it has the answer.
        state.withLock { $0.inFlight -= 1 }
        return stream.perform(behaviour)
    }
}

/// Threads outlive a test: they must not keep its server.
private final class Weak: Sendable {
    private let server: Mutex<WeakReference>
    private struct WeakReference: Sendable { weak var server: MisbehavingServer? }

    init(_ server: MisbehavingServer) { self.server = Mutex(WeakReference(server: server)) }

    var value: MisbehavingServer? { server.withLock { $0.server } }
}
