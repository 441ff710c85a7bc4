import Model
import Pipeline

/// The queues of the farm, each with the service or role that consumes it.
package struct KnownQueues {
    /// A queue and its consumer.
    package struct Named {
        /// The service or role.
        package var service: String
        /// The name of the queue.
        package var queue: String

        /// Whether it holds jobs.
        package var isOfService: Bool { queue != Callback.queue && PostProcessing(rawValue: service) == nil }
    }

    /// The queues of this machine's services, and of the roles.
    package let own: [Named]
    /// The queues of other machines: those of catalogue services that are not configured here, and queues that hold a
    /// message.
    package let others: [Named]

    /// - Parameter workers: the live workers. A broker does not list its queues, but workers name theirs.
    /// - Throws: `PortFault`.
    package init(_ services: ServiceDirectory, _ queue: Queue, workers: [RegisteredWorker] = []) async throws {
        let callbacks = [Named(service: Callback.service, queue: Callback.queue)]
        let own =
            services.configured.map { Named(service: $0.name, queue: $0.queue) }
            + PostProcessing.allCases.map { Named(service: $0.rawValue, queue: $0.queue) }
            + (services.postsWebhooks ? callbacks : [])
        var others = services.catalogue.map { Named(service: $0.name, queue: $0.queue) } + callbacks
        others += workers.map { Named(service: $0.service, queue: $0.queue) }
        others += try await queue.queueNames().map { queue in
            Named(service: queue.hasPrefix("queue_") ? String(queue.dropFirst(6)) : queue, queue: queue)
        }
        var seen = Set(own.map(\.queue))
        self.own = own
        self.others = others.filter { seen.insert($0.queue).inserted }
    }

    /// With those of all live workers. While the store is out of reach, only the others are known.
    /// - Throws: `PortFault` of the queue.
    package init(_ services: ServiceDirectory, _ parts: any ReadingParts) async throws {
        let workers = (try? await parts.store().liveWorkers()) ?? []
        try await self.init(services, parts.queue(), workers: workers)
    }

    /// All queues, this machine's first.
    package var all: [Named] { own + others }

    /// The queues of jobs, without those of triggers and of callbacks.
    package var ofServices: [Named] { all.filter(\.isOfService) }

    /// The service or role that consumes a queue.
    package func service(of queue: String) -> String { all.first { $0.queue == queue }?.service ?? queue }

    /// The queues of services and roles, whose names are separated by commas.
    /// - Throws: `OperationFault` for an unknown one. It lists the known ones.
    package func queues(of names: String) throws(OperationFault) -> [Named] {
        let names = Set(names.split(separator: ",").map { String($0.filter { $0 != " " }) })
        let unknown = names.subtracting(all.map(\.service)).sorted()
        guard unknown.isEmpty, !names.isEmpty else {
            throw .unusable(
                "unknown service \(unknown.joined(separator: ", ")); known are "
                    + all.map(\.service).sorted().joined(separator: ", "))
        }
        return all.filter { names.contains($0.service) }
    }
}
