import Model
import Pipeline

/// The queues of the farm, each with the service or the role that takes from it.
package struct KnownQueues {
    /// A queue and who takes from it.
    package struct Named {
        /// The service or the role.
        package var service: String
        /// Its queue.
        package var queue: String
    }

    /// Of this box's services, and of the roles.
    package let own: [Named]
    /// Other boxes': the catalogue's services that are not configured here, and queues that hold something.
    package let others: [Named]

    /// - Parameter workers: who is alive: a broker does not list its queues.
    /// - Throws: `PortFault`.
    package init(_ services: ServiceDirectory, _ queue: Queue, workers: [RegisteredWorker] = []) async throws {
        let own =
            services.configured.map { Named(service: $0.name, queue: $0.queue) }
            + PostProcessing.allCases.map { Named(service: $0.rawValue, queue: $0.queue) }
        var others = services.catalogue.map { Named(service: $0.name, queue: $0.queue) }
        others += workers.map { Named(service: $0.service, queue: $0.queue) }
        others += try await queue.queueNames().map { queue in
            Named(service: queue.hasPrefix("queue_") ? String(queue.dropFirst(6)) : queue, queue: queue)
        }
        var seen = Set(own.map(\.queue))
        self.own = own
        self.others = others.filter { seen.insert($0.queue).inserted }
    }

    /// This box's first.
    package var all: [Named] { own + others }

    /// Those that jobs come through, not triggers.
    package var ofServices: [Named] { all.filter { PostProcessing(rawValue: $0.service) == nil } }

    /// The service, or the role, that takes from a queue.
    package func service(of queue: String) -> String { all.first { $0.queue == queue }?.service ?? queue }

    /// The queues of services and roles that are named with commas between them.
    /// - Throws: `OperationFault` that lists the known ones when one is unknown.
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
