import Foundation
import Waiting

/// Makes a stage obey what operators have set.
extension Stage {
    /// The parts of one run of a stage.
    struct Course: Sendable {
        let consumer: any JobConsumer
        let drain: Drain
        let works = Mailbox<Item>()
        let ready = Mailbox<Settling>()
        let inHand = KeysInHand<Handler.Key>()
        let pause = GatheringPause()
        let holdback: Holdback<Handler>
        /// Deliveries that were taken and are not admitted yet. A pause may come in between.
        let unadmitted = Mailbox<Delivery>()
        let pace: Pace
        /// How much work is begun and not handled.
        let begun = Watched(0)
        /// The prefetch that the consumer has now.
        let prefetch: Watched<Int>

        init(_ consumer: any JobConsumer, prefetch: Int, _ pace: Pace, _ drain: Drain, _ handler: Handler) {
            (self.consumer, self.pace, self.drain) = (consumer, pace, drain)
            holdback = Holdback(handler)
            self.prefetch = Watched(prefetch)
        }
    }

    /// Takes deliveries as long as the service is not paused. When a pause comes, deliveries that were fetched ahead or are not
    /// admitted yet go back, and work in hand goes on.
    func takeUnlessPaused(_ course: Course) async throws {
        try await options.control.taking {
            try await intake(course)
        } end: {
            let rest = course.unadmitted.takeReady()
            if !rest.isEmpty { try await giveBack(rest, course) }
            withholdUnbegun(course)
            // The embedded queue is in the store's file, and may be in the same state.
            do { try await course.consumer.pause() } catch is PortFault where options.store.outage != nil {}
        }
    }

    /// Lets work go back that was taken and not begun.
    func withholdUnbegun(_ course: Course) {
        course.ready.append(course.works.takeReady().map { .withheld($0) })
        withholdHeld(course)
    }

    /// Lets work go back that was held back.
    func withholdHeld(_ course: Course) {
        let held = course.holdback.takeAll()
        count(held, course)
        course.ready.append(held.map { .withheld($0) })
    }

    /// Gives the consumer the prefetch that holds now, if it is another one.
    /// - Returns: that prefetch.
    func adjustPrefetch(_ course: Course) async throws -> Int {
        let prefetch = options.presentPrefetch(course.pace)
        guard course.prefetch.read({ $0 != prefetch }) else { return prefetch }
        try await course.consumer.limit(prefetch: prefetch)
        course.prefetch.change { $0 = prefetch }
        options.events.tell(.prefetchChanged(prefetch))
        return prefetch
    }

    /// Takes deliveries, and waits for the first one no longer than the tokens are valid.
    func next(_ consumer: any JobConsumer, upTo limit: Int, within validity: Duration?) async throws -> [Delivery] {
        guard let validity else { return try await consumer.next(upTo: limit) }
        return try await withThrowingTaskGroup(of: [Delivery]?.self) { group in
            group.addTask {
                do { return try await consumer.next(upTo: limit) } catch is CancellationError { return [] }
            }
            group.addTask {
                try? await options.time.sleep(validity)
                return nil
            }
            // Deliveries that come at the last moment are not lost.
            var taken = try await group.next() ?? nil
            group.cancelAll()
            if taken == nil { taken = try await group.next() ?? nil }
            if let taken, !taken.isEmpty { return taken }
            // A drain or a pause looks like tokens that have lapsed: without this the stage would look again and again.
            try Task.checkCancellation()
            return []
        }
    }
}
