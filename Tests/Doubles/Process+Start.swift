import Foundation

/// Foundation tells a child's end by a socket that only the child holds. Two that are launched at the same moment would hold
/// each other's, and the end of one be told only with that of both.
private let launching = NSLock()

extension Process {
    /// Runs it, one child after another.
    package func start() throws { try launching.withLock { try withoutBlockedSignals { try run() } } }
}

/// A child inherits the signals that its parent's thread has blocked, and Dispatch's threads block nearly all.
private func withoutBlockedSignals<Value>(_ body: () throws -> Value) rethrows -> Value {
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    return try body()
}
