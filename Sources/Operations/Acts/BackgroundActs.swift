import Foundation
import Synchronization
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
        /// How many are to be done, as far as was known when the act began.
        package let total: Int
        /// How many are done.
        package fileprivate(set) var count = 0
        /// Whether the act goes on, and how it ended.
        package fileprivate(set) var state = State.running
    }

    private struct State {
        var acts: [Act] = []
        var drains: [Int: Drain] = [:]
        var lastID = 0

        mutating func change(_ id: Int, _ change: (inout Act) -> Void) {
            guard let place = acts.firstIndex(where: { $0.id == id }) else { return }
            change(&acts[place])
        }
    }

    /// Acts that are remembered.
    private static let memory = 20

    private let state = Mutex(State())

    package init() {}

    /// The newest first.
    package var all: [Act] { state.withLock { $0.acts.reversed() } }

    /// Whether one goes on.
    package var isRunning: Bool { state.withLock { $0.acts.contains { $0.state == .running } } }

    /// Begins one.
    /// - Parameter work: tells how many are done, ends when its drain begins, and returns how many it has done.
    package func begin(
        _ text: String, total: Int,
        _ work: @escaping @Sendable (Drain, @escaping @Sendable (Int) -> Void) async throws -> Int
    ) {
        let drain = Drain()
        let id = state.withLock { state in
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
    package func stop(_ id: Int) { state.withLock { $0.drains[id] }?.begin() }

    private func note(_ count: Int, of id: Int) { state.withLock { $0.change(id) { $0.count = count } } }

    private func end(_ id: Int, _ count: Int?, _ ended: Act.State) {
        state.withLock { state in
            state.drains[id] = nil
            state.change(id) { act in
                act.state = ended
                if let count { act.count = count }
            }
        }
    }
}
