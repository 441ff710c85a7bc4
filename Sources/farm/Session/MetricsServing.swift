import Composition
import Logging
import Operations
import Settings
import Web

/// What happens to a process if another one uses its METRICS_LISTEN.
enum MetricsNeed {
    /// For a role: it does not start, since whoever monitors it would think that it is gone.
    case always
    /// For a command that a person waits for, perhaps in the folder of a role that uses the port: it goes on without.
    case ifFree
}

extension SettledSession {
    /// Serves the metrics of this process while `body` runs, if METRICS_LISTEN is set.
    /// - Parameter need: nil for commands that do one thing and end.
    /// - Throws: `CommandFailure` if it cannot listen, and what `body` throws.
    func servingMetrics<Value: Sendable>(
        _ need: MetricsNeed?, _ body: () async throws -> Value
    ) async throws -> Value {
        guard let need, let exported = context.metrics, let address = settings.metricsListen else {
            return try await body()
        }
        let log = log("metrics")
        let server = WebServer(metrics: exported.metrics, host: address.host, port: address.port, log: log)
        do {
            return try await server.during { port in
                log.notice("metrics at http://\(ListenAddress(host: address.host, port: port))/metrics")
                return try await body()
            }
        } catch let fault as ListenFault {
            guard need == .ifFree, fault.kind == .inUse else {
                throw CommandFailure.unusable("METRICS_LISTEN: \(fault)\(fault.kind.remedy(of: "METRICS_LISTEN"))")
            }
            log.warning("METRICS_LISTEN: \(fault); this process serves no metrics")
            return try await body()
        }
    }
}

extension OpenSession {
    /// Looks at queues and workers while `body` runs, if metrics are served.
    fileprivate func sampling<Value: Sendable>(
        _ queue: @escaping @Sendable (Parts) async throws -> Queue,
        _ store: @escaping @Sendable (Parts) async throws -> Store, _ body: () async throws -> Value
    ) async throws -> Value {
        guard metricsNeed != nil, let exported = context.metrics else { return try await body() }
        let backends = backends
        let sampler = exported.sampler(
            context, queue: { try await queue(backends) }, store: { try await store(backends) })
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await sampler.run() }
            defer { group.cancelAll() }
            return try await body()
        }
    }
}

extension OpenSession<Backends> {
    /// Looks at queues and workers while `body` runs, if metrics are served.
    func sampling<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await sampling({ $0.queue }, { $0.store }, body)
    }
}

extension OpenSession<ReadingBackends> {
    /// Looks at queues and workers while `body` runs, if metrics are served.
    func sampling<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await sampling({ try await $0.queue() }, { try await $0.store() }, body)
    }
}

extension OpenSession<WebServing> {
    /// Looks at queues and workers as long as `body` runs, where metrics are served.
    func sampling<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await sampling({ try await $0.queue() }, { try await $0.store() }, body)
    }
}

extension ListenFault.Kind {
    /// What a person can do about it.
    func remedy(of name: String) -> String {
        switch self {
        case .inUse where name.hasPrefix("--"): "; give another port, or 0 for any free one"
        case .inUse:
            "; each process needs a port of its own: set \(name)=9465 in this one's environment, which wins over "
                + ".env, or 0 for any free port"
        case .notAllowed: "; take a port from 1024 on"
        case .notHere: "; take 127.0.0.1, an address of this machine, or 0.0.0.0 for all of them"
        case .other: ""
        }
    }
}
