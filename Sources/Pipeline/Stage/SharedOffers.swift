import Model
import Synchronization
import Waiting

/// A queue to which the stages of a process publish their triggers together. Triggers for the same image that are under way to the
/// same queue at the same time become one, since the role that takes them reads everything about the image anyway.
///
/// Each queue is separate: one that takes nothing holds up no other.
package final class SharedOffers: JobQueue {
    private typealias Trip = SharedTrip<Message, PortFault?>

    private let base: any JobQueue
    private let trips = Mutex<[String: Trip]>([:])

    package init(_ base: any JobQueue) { self.base = base }

    /// Offers the messages, those that are triggers together with others'.
    package func offer(_ messages: [Message]) async -> [Unpublished] {
        let queues = Dictionary(grouping: messages.indices.filter { messages[$0].isShared }) { messages[$0].queue }
        let others = messages.indices.filter { !messages[$0].isShared }
        if queues.isEmpty { return await base.offer(messages) }
        return await withTaskGroup(of: [Unpublished].self) { group in
            if !others.isEmpty {
                group.addTask { await self.base.offer(others.map { messages[$0] }).at(others) }
            }
            for (queue, places) in queues {
                group.addTask { await self.offer(places.map { messages[$0] }, to: queue).at(places) }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func offer(_ triggers: [Message], to queue: String) async -> [Unpublished] {
        do {
            let faults = try await trip(to: queue).take(triggers)
            let failed = faults.indices.filter { faults[$0] != nil }
            return Dictionary(grouping: failed) { faults[$0]?.description ?? "" }.values.compactMap { places in
                faults[places[0]].map { Unpublished(places: places.sorted(), fault: $0) }
            }
        } catch { return .all(of: triggers, error, place: queue) }
    }

    /// How many stages wait until a queue has taken what others offered before them.
    package func waiting(for queue: String) -> Int { trip(to: queue).waiting }

    private func trip(to queue: String) -> Trip {
        trips.withLock { trips in
            if let trip = trips[queue] { return trip }
            let base = base
            let trip = Trip(isCommon: { _ in true }) { try await SharedOffers.offer($0, base) }
            trips[queue] = trip
            return trip
        }
    }

    /// - Returns: for each message why it is not safe. nil if it is.
    private static func offer(_ messages: [Message], _ base: any JobQueue) async throws -> [PortFault?] {
        var places: [ImageID: Int] = [:]
        var offered: [Message] = []
        var sources: [Int: Set<String>] = [:]
        let representatives = messages.map { message in
            if let image = message.triggers, let place = places[image] {
                if let source = message.source, source != offered[place].source {
                    sources[place, default: []].insert(source)
                }
                return place
            }
            if let image = message.triggers { places[image] = offered.count }
            offered.append(message)
            return offered.count - 1
        }
        for (place, sources) in sources {
            offered[place].headers[FarmHeader.sources] = sources.sorted().joined(separator: ",")
        }
        var faults = [PortFault?](repeating: nil, count: offered.count)
        for unpublished in await base.offer(offered) {
            for place in unpublished.places { faults[place] = unpublished.fault }
        }
        // The others were not cancelled, and offer theirs again.
        if faults.contains(where: { $0 != nil }) { try Task.checkCancellation() }
        return representatives.map { faults[$0] }
    }

    package func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
        try await base.consume(queue, prefetch: prefetch)
    }
}

extension Message {
    /// Traces must not lose what follows from what, so a trigger that is traced goes by itself.
    fileprivate var isShared: Bool { triggers != nil && headers.isEmpty }
}

extension [Unpublished] {
    /// The same about messages that are in these places of a longer list.
    fileprivate func at(_ places: [Int]) -> [Unpublished] {
        map { Unpublished(places: $0.places.map { places[$0] }, fault: $0.fault) }
    }
}
