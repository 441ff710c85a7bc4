import Synchronization

/// Which keys are being handled, and the deliveries that wait for the end of one.
final class KeysInHand<Key: Hashable & Sendable>: Sendable {
    private let waiting = Mutex<[Key: [Delivery]]>([:])

    /// - Returns: whether the key's turn begins with this delivery; else it waits.
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

    /// - Returns: what has waited for one of these.
    func end(_ keys: [Key]) -> [Delivery] {
        waiting.withLock { waiting in
            keys.flatMap { key in
                assert(waiting[key] != nil, "a key is put down once, and was taken up before")
                return waiting.removeValue(forKey: key) ?? []
            }
        }
    }
}
