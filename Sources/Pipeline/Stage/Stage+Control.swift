import Foundation
import Waiting

/// How a stage obeys what operators have set.
extension Stage {
    /// What one run of a stage works with.
    struct Course: Sendable {
        let consumer: any JobConsumer
        let drain: Drain
        let works = Mailbox<Item>()
        let ready = Mailbox<Settling>()
        let inHand = KeysInHand<Handler.Key>()
        let pause = GatheringPause()
        /// Deliveries that were taken and may not be admitted any more, as a pause came in between.
        let unadmitted = Mailbox<Delivery>()
        /// How many deliveries the consumer lets be unsettled.
        let prefetch: Watched<Int>

        init(_ consumer: any JobConsumer, prefetch: Int, _ drain: Drain) {
            (self.consumer, self.drain) = (consumer, drain)
            self.prefetch = Watched(prefetch)
        }
    }

    /// Takes for as long as the service is not paused. What was fetched ahead, or is not admitted, goes back then; what is in
    /// hand goes on.
    func takeUnlessPaused(_ course: Course) async throws {
        try await options.control.taking {
            try await intake(course)
        } end: {
            let rest = course.unadmitted.takeReady()
            if !rest.isEmpty { try await giveBack(rest, course) }
            // The embedded queue lies in the store's file, and may be in the same state.
            do { try await course.consumer.pause() } catch is PortFault where options.store.outage != nil {}
        }
    }

    /// - Returns: how many deliveries may be unsettled now.
    func adjustPrefetch(_ course: Course) async throws -> Int {
        let prefetch = options.presentPrefetch
        guard course.prefetch.read({ $0 != prefetch }) else { return prefetch }
        try await course.consumer.limit(prefetch: prefetch)
        course.prefetch.change { $0 = prefetch }
        return prefetch
    }

    /// Takes what there is, and waits for it for no longer than its tokens are good for.
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
            // What has come at the last moment is not lost.
            var taken = try await group.next() ?? nil
            group.cancelAll()
            if taken == nil { taken = try await group.next() ?? nil }
            return taken ?? []
        }
    }
}
