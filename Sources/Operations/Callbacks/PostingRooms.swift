import Foundation
import Synchronization
import Waiting

/// Bounds how much is posted at the same time: in all, and to each host, so that one that is slow keeps no others
/// waiting.
final class PostingRooms: Sendable {
    private struct Host {
        let room: Slots
        /// How many are in the room or wait for it.
        var guests: Int
    }

    private static let postsInAll = 16
    private static let postsToHost = 4
    /// Whoever has waited longer goes back to the queue.
    private static let patience = Duration.seconds(15)

    private let all = Slots(postsInAll)
    private let hosts = Mutex<[String: Host]>([:])
    private let time: any Timekeeper

    init(time: any Timekeeper) { self.time = time }

    /// Runs `body` when there is room.
    /// - Returns: nil if there was none for too long, or the task was cancelled.
    func run<Value: Sendable>(to host: String, _ body: () async -> Value) async -> Value? {
        let room = hosts.withLock { hosts in
            hosts[host, default: Host(room: Slots(PostingRooms.postsToHost), guests: 0)].guests += 1
            return hosts[host]?.room
        }
        defer {
            hosts.withLock { hosts in
                hosts[host]?.guests -= 1
                if hosts[host]?.guests == 0 { hosts[host] = nil }
            }
        }
        guard let room, await take(room) else { return nil }
        defer { room.giveBack(at: time.now()) }
        guard await take(all) else { return nil }
        defer { all.giveBack(at: time.now()) }
        return await body()
    }

    private func take(_ slots: Slots) async -> Bool {
        await slots.take(at: time.now(), within: PostingRooms.patience) { false }
    }
}
