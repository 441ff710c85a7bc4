import Synchronization

/// The keys that are being handled, and for each key the deliveries that wait for its turn to end.
final class KeysInHand<Key: Hashable & Sendable>: Sendable {
    private let waiting = Mutex<[Key: [Delivery]]>([:])

    /// - Returns: true if the key's turn begins with this delivery, false if the delivery has to wait.
    func begin(_ key: Key, _ delivery: Delivery) -> Bool {
        waiting.withLock { waiting in
            guard waiting[key] != nil else {
                waiting[key] = []
                return true
            }
            waiting[key]?.append(delivery)
            return false
        }
    }

    /// - Returns: the deliveries that waited for these keys.
    func end(_ keys: [Key]) -> [Delivery] {
        waiting.withLock { waiting in
            keys.flatMap { key in
                assert(waiting[key] != nil, "a key is put down once, and was taken up before")
                return waiting.removeValue(forKey: key) ?? []
            }
        }
    }
}
