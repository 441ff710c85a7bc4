import Dispatch
import Foundation
import Pipeline
import Synchronization

/// Access to the database: one connection, opened when it is needed, and a queue for the calls that block.
///
/// No caller waits longer than the limit, whatever the library does. While one waits for a server that does not answer,
/// all others fail at once.
final class ConnectionQueue: Sendable {
    /// A call that runs for longer than this keeps new ones from queueing behind it.
    private static let patience = Duration.seconds(1)

    private let options: MariaDBOptions
    private let seconds: UInt32
    private let queue: DispatchQueue
    private let gate = Mutex(WaitingCalls())
    /// Locked only on `queue`, so nobody waits for it.
    private let connection = Mutex<MariaDBConnection?>(nil)

    /// - Parameter seconds: how long a call may take, including connecting.
    init(_ options: MariaDBOptions, label: String, seconds: UInt32) {
        self.options = options
        self.seconds = seconds
        queue = DispatchQueue(label: "farm.mariadb.\(label)")
    }

    /// Runs work with the connection, on the queue.
    /// - Throws: `PortFault`.
    func run<Value: Sendable>(_ work: @Sendable @escaping (MariaDBConnection) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let call = Call(continuation)
            let admission = gate.withLock { gate in
                gate.admit(options.place, patience: ConnectionQueue.patience) { call.resume(.failure($0)) }
            }
            switch admission {
            case .failure(let fault): call.resume(.failure(fault))
            case .success(let id):
                queue.async { self.perform(id, call, work) }
                DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(seconds))) { self.expire(id) }
            }
        }
    }

    /// Closes the connection after its present work, but waits no longer than the limit.
    func close() async {
        gate.withLock { $0.isClosed = true }
        try? await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let call = Call(continuation)
            queue.async {
                self.connection.withLock { $0 = nil }
                call.resume(.success(()))
            }
            DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(seconds))) { call.resume(.success(())) }
        }
    }

    // MARK: On the queue

    private func perform<Value: Sendable>(
        _ id: Int, _ call: Call<Value>, _ work: @Sendable (MariaDBConnection) throws -> Value
    ) {
        guard gate.withLock({ $0.begin(id) }) else { return }
        do {
            let value = try connection.withLock { slot in try attempt(work, &slot) }
            _ = gate.withLock { $0.end(id) }
            call.resume(.success(value))
        } catch {
            let (fault, isOutage) = told(error)
            let others = gate.withLock { $0.end(id, outage: isOutage ? fault : nil) }
            call.resume(.failure(fault))
            for fail in others { fail(fault) }
        }
    }

    private func attempt<Value: Sendable>(
        _ work: @Sendable (MariaDBConnection) throws -> Value, _ slot: inout MariaDBConnection?
    ) throws -> Value {
        if let open = slot, !open.isAlive { slot = nil }
        let current = try slot ?? open()
        slot = current
        do { return try work(current) } catch {
            if (error as? MariaDBFault)?.isLost ?? false { slot = nil }
            throw error
        }
    }

    private func open() throws -> MariaDBConnection {
        do { return try MariaDBConnection(options, seconds: seconds) } catch let fault as MariaDBFault {
            throw Unopened(fault: fault)
        }
    }

    /// No connection could be made.
    private struct Unopened: Error {
        var fault: MariaDBFault
    }

    private func told(_ error: any Error) -> (PortFault, isOutage: Bool) {
        switch error {
        case let error as Unopened: (PortFault(error.fault, options), true)
        case let fault as MariaDBFault: (PortFault(fault, options), fault.isLost)
        case let fault as PortFault: (fault, false)
        default: (PortFault(.unusable, place: options.place, message: "\(error)"), false)
        }
    }

    // MARK: Waiting

    private func expire(_ id: Int) {
        let fault = PortFault(.transient, place: options.place, message: "did not answer within \(seconds) s")
        for fail in gate.withLock({ $0.expire(id, fault) }) { fail(fault) }
    }
}

/// A caller that waits. The first answer counts.
private final class Call<Value: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value, any Error>?>

    init(_ continuation: CheckedContinuation<Value, any Error>) { self.continuation = Mutex(continuation) }

    func resume(_ result: Result<Value, any Error>) {
        let continuation = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        continuation?.resume(with: result)
    }
}
