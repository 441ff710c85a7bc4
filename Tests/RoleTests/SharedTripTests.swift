import Doubles
import Foundation
import Pipeline
import Synchronization
import Testing
import Waiting

@Suite("Trips to the server that tasks share")
struct SharedTripTests {
    /// A trip that counts, and that waits at the gate of each trip but is otherwise an echo.
    private final class Echo: Sendable {
        let trips = Mutex<[[Int]]>([])
        let gate = Drain()
        let fault: (@Sendable ([Int]) -> PortFault?)?

        init(fault: (@Sendable ([Int]) -> PortFault?)? = nil) { self.fault = fault }

        func run(_ elements: [Int]) async throws -> [Int] {
            let isFirst = trips.withLock { trips in
                trips.append(elements)
                return trips.count == 1
            }
            if isFirst { await gate.wait() }
            if let fault = fault?(elements) { throw fault }
            return elements.map { $0 * 10 }
        }
    }

    /// Ten tasks, of which the first goes alone, since nobody else is there yet. The others gather behind it.
    private func answers(_ echo: Echo) async throws -> [Result<[Int], any Error>] {
        let trip = SharedTrip<Int, Int>(isCommon: { ($0 as? PortFault)?.kind == .transient }) { try await echo.run($0) }
        return try await withThrowingTaskGroup(of: (Int, Result<[Int], any Error>).self) { group in
            for task in 0..<10 {
                group.addTask {
                    do { return (task, .success(try await trip.take([task, task + 100], patience: .zero))) } catch {
                        return (task, .failure(error))
                    }
                }
                if task == 0 { try await eventually { echo.trips.withLock { !$0.isEmpty } } }
            }
            try await eventually { trip.waiting == 9 }
            echo.gate.begin()
            var answers: [Int: Result<[Int], any Error>] = [:]
            for try await (task, answer) in group { answers[task] = answer }
            return (0..<10).compactMap { answers[$0] }
        }
    }

    @Test("what gathers behind one goes in the next, and each task has its own answers")
    func sharing() async throws {
        let echo = Echo()
        let answers = try await answers(echo)
        #expect(echo.trips.withLock { $0.map(\.count) } == [2, 18])
        for (task, answer) in answers.enumerated() { #expect(try answer.get() == [task * 10, (task + 100) * 10]) }
    }

    @Test("a value that is refused is the fault of its own task alone")
    func refused() async throws {
        let echo = Echo { $0.contains(5) ? PortFault(.refused, place: "results", message: "value too long") : nil }
        for (task, answer) in try await answers(echo).enumerated() {
            switch answer {
            case .success(let numbers): #expect(numbers == [task * 10, (task + 100) * 10])
            case .failure(let fault):
                #expect(task == 5)
                #expect((fault as? PortFault)?.kind == .refused)
            }
        }
    }

    @Test("while the server is away, all hear of it after one try")
    func away() async throws {
        let echo = Echo { _ in PortFault(.transient, place: "db", message: "away") }
        let answers = try await answers(echo)
        #expect(answers.allSatisfy { if case .failure = $0 { true } else { false } })
        #expect(echo.trips.withLock { $0.count } == 2)
    }

    @Test(
        "a task that is cancelled takes nobody's answers along, whether it makes the trip or waits", arguments: [0, 5])
    func cancelled(_ place: Int) async throws {
        let echo = Echo()
        let trip = SharedTrip<Int, Int>(isCommon: { _ in true }) { elements in
            let answers = try await echo.run(elements)
            try Task.checkCancellation()
            return answers
        }
        var tasks: [Task<[Int], any Error>] = []
        for task in 0..<10 {
            tasks.append(Task { try await trip.take([task]) })
            // The first one makes the trip, and waits at the gate.
            if task == 0 { try await eventually { echo.trips.withLock { !$0.isEmpty } } }
        }
        try await eventually { trip.waiting == 9 }
        tasks[place].cancel()
        echo.gate.begin()
        for (task, running) in tasks.enumerated() where task != place {
            #expect(try await running.value == [task * 10])
        }
        await #expect(throws: CancellationError.self) { try await tasks[place].value }
    }

    @Test("waits for company only where much comes, and never longer than its passengers can")
    func company() {
        let time = ManualTime()
        let company = Company(time: time)
        func waits(_ interval: Duration, patience: Duration) -> [Duration] {
            (0..<200).map { _ in
                time.advance(by: interval)
                return company.wait(for: 1, patience: patience)
            }
        }
        // One image with eleven answers, now and then.
        #expect(waits(.seconds(5), patience: .seconds(1)).allSatisfy { $0 == .zero })
        #expect(waits(.milliseconds(1), patience: .seconds(1)).prefix(10).allSatisfy { $0 == .zero })
        #expect(waits(.milliseconds(2), patience: .seconds(1)).last == .milliseconds(25))
        #expect(waits(.milliseconds(2), patience: .milliseconds(10)).last == .milliseconds(10))
        #expect(waits(.milliseconds(2), patience: .zero).last == .zero)
        #expect(waits(.milliseconds(20), patience: .seconds(1)).last == .zero)
    }

    @Test("goes at once when somebody joins who does not wait")
    func hurry() async throws {
        let time = ManualTime()
        let company = Company(time: time)
        for _ in 0..<200 {
            time.advance(by: .milliseconds(1))
            _ = company.wait(for: 1, patience: .seconds(1))
        }
        let echo = Echo()
        echo.gate.begin()
        let trip = SharedTrip<Int, Int>(waiting: company, isCommon: { _ in true }) { try await echo.run($0) }
        async let patient = trip.take([1], patience: .seconds(1))
        try await eventually { trip.waiting == 1 }
        // Time stands still, so nothing ends the wait but this one.
        #expect(try await trip.take([2]) == [20])
        #expect(try await patient == [10])
        #expect(echo.trips.withLock { $0.map { $0.sorted() } } == [[1, 2]])
    }
}
