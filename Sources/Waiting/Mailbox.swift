/// Hands values from many tasks to one: it takes all that have gathered, so that load decides the size of a group.
package final class Mailbox<Element: Sendable>: Sendable {
    private struct State: Sendable {
        var elements: [Element] = []
        var isFinished = false

        mutating func takeAll() -> [Element] {
            defer { elements = [] }
            return elements
        }
    }

    private let state = Watched(State())

    package init() {}

    package func append(_ new: [Element]) {
        guard !new.isEmpty else { return }
        state.change { $0.elements.append(contentsOf: new) }
    }

    /// No more will come.
    package func finish() { state.change { $0.isFinished = true } }

    /// All that has gathered, if anything has.
    package func takeReady() -> [Element] { state.change { $0.takeAll() } }

    /// All that has gathered, at least one; none only when the mailbox is finished and empty, or the task is cancelled.
    package func takeAll() async -> [Element] {
        await state.wait { $0.elements.isEmpty && !$0.isFinished ? nil : $0.takeAll() } ?? []
    }
}
