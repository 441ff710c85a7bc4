/// Hands values from many tasks to one. That task takes everything that has gathered, so the load decides how large a
/// group is.
package final class Mailbox<Element: Sendable>: Sendable {
    private struct State: Sendable {
        var elements: [Element] = []
        var isFinished = false

        mutating func take(upTo limit: Int) -> [Element] {
            let taken = Array(elements.prefix(limit))
            elements.removeFirst(taken.count)
            return taken
        }
    }

    private let state = Watched(State())

    package init() {}

    package func append(_ new: [Element]) {
        guard !new.isEmpty else { return }
        state.change { $0.elements.append(contentsOf: new) }
    }

    /// Says that no more values will come.
    package func finish() { state.change { $0.isFinished = true } }

    /// Returns everything that has gathered, if anything has.
    package func takeReady() -> [Element] { state.change { $0.take(upTo: .max) } }

    /// Waits for at least one value and returns everything that has gathered. Returns none only if the mailbox is
    /// finished and empty, or if the task is cancelled.
    package func takeAll() async -> [Element] { await take(upTo: .max) }

    /// Like `takeAll`, but leaves what is beyond `limit`, the oldest first.
    package func take(upTo limit: Int) async -> [Element] {
        await state.wait { $0.elements.isEmpty && !$0.isFinished ? nil : $0.take(upTo: limit) } ?? []
    }
}
