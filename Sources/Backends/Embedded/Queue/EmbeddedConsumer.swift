import Foundation
import Pipeline
import Synchronization

/// A consumer of one queue in the file. Its deliveries are leased to the process, and it knows which of them are its
/// own.
final class EmbeddedConsumer: JobConsumer {
    private struct State {
        var unsettled: [Int64: Held] = [:]
        /// Room that is being filled.
        var reserved = 0
        var prefetch: Int
        var isClosed = false
    }

    private let queue: String
    private let hub: ConsumerHub
    private let member: Bell.Member
    private let state: Mutex<State>

    init(queue: String, prefetch: Int, hub: ConsumerHub) {
        self.queue = queue
        state = Mutex(State(prefetch: prefetch))
        self.hub = hub
        member = hub.bell.join(queue)
    }

    // MARK: Taking

    func next(upTo limit: Int) async throws -> [Delivery] {
        while true {
            try Task.checkCancellation()
            guard let rings = hub.bell.rings(for: member) else { throw CancellationError() }
            let room = reserve(max(1, limit))
            if room > 0 {
                let deliveries = try await take(room)
                if !deliveries.isEmpty { return deliveries }
            }
            await hub.bell.wait(member, since: rings)
        }
    }

    func limit(prefetch: Int) async throws {
        state.withLock { $0.prefetch = max(1, prefetch) }
        hub.bell.ring(member)
    }

    private func reserve(_ limit: Int) -> Int {
        let holder = hub.holder
        return state.withLock { state in
            // After a lease is lost, nothing of it is ours any more.
            state.unsettled = state.unsettled.filter { $0.value.holder == holder }
            let room = max(0, min(limit, state.prefetch - state.unsettled.count - state.reserved))
            state.reserved += room
            return room
        }
    }

    private func take(_ room: Int) async throws -> [Delivery] {
        defer {
            state.withLock { state in
                state.reserved -= room
                assert(state.reserved >= 0, "room is given back once")
            }
        }
        let (holder, taken) = try await hub.take(queue, limit: room)
        guard !taken.isEmpty else { return [] }
        assert(taken.count <= room, "no more is taken than there is room for")
        let held = Dictionary(
            zip(hub.tags(taken.count), taken.map { Held(message: $0.id, holder: holder) })
        ) { first, _ in first }
        let isClosed = state.withLock { state in
            state.unsettled.merge(held) { _, new in new }
            return state.isClosed
        }
        guard !isClosed else {
            try await release(Array(held.values), after: .zero)
            throw CancellationError()
        }
        return zip(held.keys.sorted(), taken).map { tag, message in
            Delivery(
                body: message.body, headers: message.headers, redelivered: message.isRedelivered,
                receipt: Receipt(epoch: holder, tag: tag))
        }
    }

    // MARK: Settling

    func acknowledge(_ receipts: [Receipt]) async throws {
        let held = held(receipts)
        guard !held.isEmpty else { return }
        try await hub.file.write { try QueueTable.remove(held, $0) }
        settled(receipts)
    }

    func giveBack(_ receipts: [Receipt], after delay: Duration) async throws {
        let held = held(receipts)
        guard !held.isEmpty else { return }
        try await release(held, after: delay)
        settled(receipts)
    }

    func bury(_ dead: [(receipt: Receipt, letter: DeadLetter)]) async throws {
        let unsettled = state.withLock { $0.unsettled }
        let letters = dead.compactMap { receipt, letter in unsettled[receipt.tag].map { (held: $0, letter: letter) } }
        guard !letters.isEmpty else { return }
        let now = hub.time.now()
        try await hub.file.write { try DeadTable.bury(letters, at: now, $0) }
        settled(dead.map(\.receipt))
    }

    /// Does nothing, since nothing is prefetched.
    func pause() async throws {}

    func close() async {
        let held = state.withLock { state in
            state.isClosed = true
            defer { state.unsettled = [:] }
            return Array(state.unsettled.values)
        }
        hub.bell.leave(member)
        guard !held.isEmpty else { return }
        do { try await release(held, after: .zero) } catch {
            hub.log.warning("\(queue): \(held.count) deliveries come again when the lease ends: \(error)")
        }
    }

    // MARK: Parts

    private func held(_ receipts: [Receipt]) -> [Held] {
        state.withLock { state in receipts.compactMap { state.unsettled[$0.tag] } }
    }

    private func settled(_ receipts: [Receipt]) {
        state.withLock { state in
            for receipt in receipts { state.unsettled[receipt.tag] = nil }
        }
        hub.bell.ring(member)
    }

    private func release(_ held: [Held], after delay: Duration) async throws {
        let now = hub.time.now()
        let dueAt = delay > .zero ? StoredTime.milliseconds(now.addingTimeInterval(delay.seconds)) : nil
        try await hub.file.write(announced: true) { try QueueTable.giveBack(held, dueAt: dueAt, $0) }
        hub.announce([queue], dueAt: dueAt)
    }
}
