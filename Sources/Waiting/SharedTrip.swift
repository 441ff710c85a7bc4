import Foundation

/// Takes what several tasks want at the same time to a server in one trip, since a trip with one element costs nearly as much
/// as one with fifty.
///
/// While one trip is under way, the elements of the next one gather. One of the tasks that wait makes the trip for all.
package final class SharedTrip<Element: Sendable, Answer: Sendable>: Sendable {
    private typealias Answers = Result<[Answer], any Error>

    private struct Passenger: Sendable {
        var id: Int
        var elements: [Element]
    }

    private struct State: Sendable {
        var lastID = 0
        /// Those of the next trip.
        var waiting: [Passenger] = []
        var isUnderWay = false
        /// Whether somebody has joined who does not wait for company.
        var isUrgent = false
        /// Answers that their tasks have not picked up yet.
        var arrived: [Int: Answers] = [:]
        /// Passengers under way whose tasks were cancelled.
        var gone: Set<Int> = []
    }

    private enum Turn: Sendable {
        case makesTrip
        case arrived(Answers)
    }

    private let state = Watched(State())
    private let company: Company?
    private let isCommon: @Sendable (any Error) -> Bool
    private let trip: @Sendable ([Element]) async throws -> [Answer]

    /// - Parameters:
    ///   - company: tells how long a trip waits for more elements. nil: it does not wait.
    ///   - isCommon: whether an error would meet every task's elements. Otherwise each task's elements are tried alone.
    ///   - trip: safe to repeat. Returns an answer for each element, in their order.
    package init(
        waiting company: Company? = nil, isCommon: @Sendable @escaping (any Error) -> Bool,
        _ trip: @Sendable @escaping ([Element]) async throws -> [Answer]
    ) {
        (self.company, self.isCommon, self.trip) = (company, isCommon, trip)
    }

    /// How many tasks wait for the next trip.
    package var waiting: Int { state.read { $0.waiting.count } }

    /// Takes these along.
    /// - Parameter patience: how long they may wait for others.
    /// - Returns: an answer for each element, in their order.
    /// - Throws: what `trip` throws, unless other tasks' elements are at fault; `CancellationError`. Then nobody knows whether the
    ///   trip was made.
    package func take(_ elements: [Element], patience: Duration = .zero) async throws -> [Answer] {
        guard !elements.isEmpty else { return [] }
        let pause = company?.wait(for: elements.count, patience: patience) ?? .zero
        let id = state.change { state in
            state.lastID += 1
            if pause == .zero { state.isUrgent = true }
            state.waiting.append(Passenger(id: state.lastID, elements: elements))
            return state.lastID
        }
        let turn = await state.wait { state -> Turn? in
            if let answers = state.arrived.removeValue(forKey: id) { return .arrived(answers) }
            guard !state.isUnderWay else { return nil }
            state.isUnderWay = true
            return .makesTrip
        }
        switch turn {
        case .arrived(let answers): return try answers.get()
        case .makesTrip:
            if pause > .zero { await gather(pause) }
            return try await makeTrip(for: id).get()
        case nil:
            state.change { state in
                let count = state.waiting.count
                state.waiting.removeAll { $0.id == id }
                if state.waiting.count == count, state.arrived.removeValue(forKey: id) == nil { state.gone.insert(id) }
            }
            throw CancellationError()
        }
    }

    /// Waits for more elements, until somebody joins who does not wait.
    private func gather(_ pause: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.company?.gather(pause) }
            group.addTask { _ = await self.state.wait { $0.isUrgent ? true : nil } }
            await group.next()
            group.cancelAll()
        }
    }

    private func makeTrip(for id: Int) async -> Answers {
        let passengers = state.change { state in
            defer { (state.waiting, state.isUrgent) = ([], false) }
            return state.waiting
        }
        let answers = await carry(passengers)
        return state.change { state in
            state.isUnderWay = false
            for (passenger, answers) in zip(passengers, answers) where passenger.id != id {
                guard state.gone.remove(passenger.id) == nil else { continue }
                // This task was cancelled, and the others were not.
                if case .failure(is CancellationError) = answers {
                    state.waiting.insert(passenger, at: 0)
                } else {
                    state.arrived[passenger.id] = answers
                }
            }
            let place = passengers.firstIndex { $0.id == id }
            return place.map { answers[$0] } ?? .failure(CancellationError())
        }
    }

    private func carry(_ passengers: [Passenger]) async -> [Answers] {
        do {
            var answers = try await trip(passengers.flatMap(\.elements))[...]
            assert(
                answers.count == passengers.reduce(0) { $0 + $1.elements.count }, "a trip answers each element")
            return passengers.map { passenger in
                defer { answers = answers.dropFirst(passenger.elements.count) }
                return .success(Array(answers.prefix(passenger.elements.count)))
            }
        } catch {
            guard passengers.count > 1, !(error is CancellationError), !isCommon(error) else {
                return passengers.map { _ in .failure(error) }
            }
            var answers: [Answers] = []
            for passenger in passengers { answers += await carry([passenger]) }
            return answers
        }
    }
}
