import Pipeline
import Synchronization

/// A test double of a broker that has one full queue, until it is told to take all.
final class PickyQueue: JobQueue {
    private let queue: any JobQueue
    private let refused: Mutex<String?>
    private let room: Mutex<Int>

    /// - Parameter room: messages that the queue takes before it is full.
    init(_ queue: any JobQueue, refusing name: String, room: Int = 0) {
        self.queue = queue
        refused = Mutex(name)
        self.room = Mutex(room)
    }

    func takeAll() { refused.withLock { $0 = nil } }

    func offer(_ messages: [Message]) async -> [Unpublished] {
        let full = refused.withLock { $0 }
        let places = messages.indices.filter { place in
            guard messages[place].queue == full else { return false }
            return room.withLock { room in
                room -= 1
                return room < 0
            }
        }
        let taken = messages.indices.filter { !places.contains($0) }.map { messages[$0] }
        do { try await queue.publish(taken) } catch { return .all(of: messages, error, place: "test") }
        guard !places.isEmpty else { return [] }
        return [Unpublished(places: places, fault: PortFault(.transient, place: "broker", message: "full"))]
    }

    func consume(_ queue: String, prefetch: Int) async throws -> any JobConsumer {
        try await self.queue.consume(queue, prefetch: prefetch)
    }
}
