import Dispatch

/// Does what blocks, on a disk for example, outside of the cooperative pool.
package func offPool<Value: Sendable>(_ work: @Sendable @escaping () -> Value) async -> Value {
    await withCheckedContinuation { waiter in
        DispatchQueue.global().async { waiter.resume(returning: work()) }
    }
}
