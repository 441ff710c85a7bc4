import Foundation
import Waiting

/// Acts on many rows or letters that go on while their page is read, each with its progress, and a way to stop it. They are safe
/// to repeat: what a process that ends has not done is done by the next one that is asked to.
package final class BackgroundActs: Sendable {
    /// An act that goes on in the background, or has ended.
    package struct Act: Sendable, Identifiable {
        /// Whether the act goes on, and how it ended.
        package enum State: Sendable, Equatable {
            case running, done, stopped
            /// It failed, with this reason.
            case failed(String)
        }

        /// Larger than that of any act before it in this process.
        package let id: Int
        /// What it does, for people.
        package let text: String
        /// When it began.
        package let begun: Date
        /// How many are to be done, as far as was known when the act began. nil if nobody has counted them.
        package let total: Int?
        /// How many are done.
        package fileprivate(set) var count = 0
        /// Whether the act goes on, and how it ended.
        package fileprivate(set) var state = State.running
    }

    private struct State: Sendable {
        var acts: [Act] = []
        /// Those of the acts that go on.
        var drains: [Int: Drain] = [:]
        var lastID = 0
        /// Whether no act goes on any more.
        var isEnding = false

        var isRunning: Bool { acts.contains { $0.state == .running } }

        mutating func change(_ id: Int, _ change: (inout Act) -> Void) {
            guard let place = acts.firstIndex(where: { $0.id == id }) else { return }
            change(&acts[place])
        }
    }

    /// Acts that are remembered.
    private static let memory = 20

    private let state = Watched(State())

    package init() {}

    /// The newest first.
    package var all: [Act] { state.read { $0.acts.reversed() } }

    /// Whether one goes on.
    package var isRunning: Bool { state.read(\.isRunning) }

    /// Begins one.
    /// - Parameter work: tells how many are done, ends when its drain begins, and returns how many it has done.
    package func begin(
        _ text: String, total: Int?,
        _ work: @escaping @Sendable (Drain, @escaping @Sendable (Int) -> Void) async throws -> Int
    ) {
        let drain = Drain()
        let id = state.change { state in
            if state.isEnding { drain.begin() }
            state.lastID += 1
            state.acts.append(Act(id: state.lastID, text: text, begun: Date(), total: total))
            state.acts.removeFirst(max(0, state.acts.count - BackgroundActs.memory))
            state.drains[state.lastID] = drain
            return state.lastID
        }
        Task {
            do {
                let count = try await work(drain) { self.note($0, of: id) }
                self.end(id, count, drain.isBegun ? .stopped : .done)
            } catch {
                self.end(id, nil, .failed("\(error)"))
            }
        }
    }

    /// Stops one after what is at hand.
    /// - Returns: how it was until now. nil if there is none of this id, or it is remembered no longer.
    @discardableResult
    package func stop(_ id: Int) -> Act.State? {
        let (drain, before) = state.read { state in (state.drains[id], state.acts.first { $0.id == id }?.state) }
        drain?.begin()
        return before
    }

    /// Stops all of them, and those that are begun from now on, after what is at hand. Returns when none goes on.
    package func finish() async {
        let drains = state.change { state in
            state.isEnding = true
            return Array(state.drains.values)
        }
        for drain in drains { drain.begin() }
        _ = await state.wait { $0.drains.isEmpty ? true : nil }
    }

    private func note(_ count: Int, of id: Int) { state.change { $0.change(id) { $0.count = count } } }

    private func end(_ id: Int, _ count: Int?, _ ended: Act.State) {
        state.change { state in
            state.drains[id] = nil
            state.change(id) { act in
                act.state = ended
                if let count { act.count = count }
            }
        }
    }
}
