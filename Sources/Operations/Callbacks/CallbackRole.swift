import Foundation
import Logging
import Model
import Pipeline
import Waiting

/// What posting callbacks needs.
package struct CallbackParts: Sendable {
    let store: Store
    let queue: Queue
    let poster: any WebhookPoster
    let key: WebhookKey
    let policy: CallbackPolicy
    let time: any Timekeeper

    package init(
        store: Store, queue: Queue, poster: any WebhookPoster, key: WebhookKey, policy: CallbackPolicy,
        time: any Timekeeper
    ) {
        self.store = store
        self.queue = queue
        self.poster = poster
        self.key = key
        self.policy = policy
        self.time = time
    }
}

/// Takes callbacks from their queue, waits until their images are done, and posts what is known of them.
package struct CallbackRole: Sendable {
    /// How many callbacks a process holds. None of them has a connection of its own while it waits.
    package static let prefetch = 4096

    private let parts: CallbackParts

    package init(_ parts: CallbackParts) { self.parts = parts }

    /// Runs until the drain is done.
    /// - Throws: `PortFault` if the queue stays unusable.
    package func run(_ options: StageOptions, _ drain: Drain) async throws {
        let waiters = ImageWaiters(OpenParts(parts), time: parts.time, limit: options.prefetch ?? CallbackRole.prefetch)
        // What waits for an image has nothing to finish.
        async let closing: Void = {
            await drain.wait()
            await waiters.close()
        }()
        let handler = CallbackHandler(parts, options, waiters, drain)
        try await Stage(options, queue: parts.queue, handler: handler).run(drain)
        await closing
    }

    /// The store that is written: a replica may not have the image yet.
    private struct OpenParts: ReadingParts {
        let parts: CallbackParts

        init(_ parts: CallbackParts) { self.parts = parts }

        func queue() async throws -> Queue { parts.queue }
        func store() async throws -> Store { parts.store }
    }
}
