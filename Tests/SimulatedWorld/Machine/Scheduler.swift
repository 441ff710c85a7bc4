import Foundation
import Synchronization

/// Runs the tasks of one simulated run on the thread that calls `run`, one job after another, in an order that the seed
/// draws, under a clock that moves only when no task can.
///
/// How the jobs come here: by `withTaskExecutorPreference` (SE-0417), which child tasks and default actors inherit. The
/// runtime's `swift_task_enqueueGlobal_hook` would catch unstructured tasks too, but roles and stage start none, and
/// one that did would call a port from a foreign thread, where `enqueue` and `checkThread` trap. In return the
/// preference is public, concerns this run alone and not the whole process, and tells whose a job is: each simulated
/// process has an executor of its own, so that one can be killed between any two of its jobs.
final class Scheduler: Sendable {
    /// Why `run` came back.
    enum Ending: Equatable {
        case over
        /// No task can run and none sleeps.
        case stuck
        /// More steps than any sound run takes.
        case endless
    }

    private struct Ready {
        var job: UnownedJob
        var executor: ProcessExecutor
    }

    private enum Waking {
        case sleeper(UnsafeContinuation<Void, any Error>)
        case action(@Sendable () -> Void)
    }

    private struct Timer {
        var due: VirtualTime
        var id: Int
        var waking: Waking
    }

    private struct State {
        var ready: [Ready] = []
        /// Whether some of them may be of a dead process.
        var hasGhosts = false
        /// The next one is the last.
        var timers: [Timer] = []
        var nextTimer = 0
        var now = VirtualTime.seconds(0)
        var steps = 0
        /// After so many more steps, the process whose turn it is dies.
        var stepsToDeath: Int?
        /// The process that hardly ever gets its turn.
        var starved: Int?
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    }

    private static let stepLimit = 3_000_000

    let order: Order
    private let dice: Dice
    private let onDeath: Mutex<@Sendable (Int) -> Void> = Mutex { _ in }
    private let state = Mutex(State())
    /// The thread that runs it; 0 before it runs.
    private let thread = Atomic<pthread_t>(0)

    init(order: Order, dice: Dice) {
        self.order = order
        self.dice = dice
    }

    var now: VirtualTime { state.withLock { $0.now } }
    var steps: Int { state.withLock { $0.steps } }
    /// How many tasks sleep.
    var sleepers: Int {
        state.withLock { state in
            state.timers.count { if case .sleeper = $0.waking { true } else { false } }
        }
    }
    /// Of all choices so far: two runs with the same digest went the same way.
    var digest: UInt64 { state.withLock { $0.digest } }

    /// Everything of a run is on one thread: what is not would make it differ from one time to the next.
    func checkThread() {
        let own = thread.load(ordering: .relaxed)
        precondition(own == 0 || own == pthread_self(), "something of the run is on a foreign thread")
    }

    // MARK: Running

    func enqueue(_ job: UnownedJob, of executor: ProcessExecutor) {
        checkThread()
        state.withLock { state in
            state.ready.append(Ready(job: job, executor: executor))
            if executor.isDead { state.hasGhosts = true }
        }
    }

    /// Runs until `isOver`, on this thread from now on.
    func run(until isOver: () -> Bool) -> Ending {
        thread.store(pthread_self(), ordering: .relaxed)
        while !isOver() {
            if let (next, dies) = take() {
                if dies { onDeath.withLock { $0 }(next.executor.process) }
                next.job.runSynchronously(on: next.executor.asUnownedTaskExecutor())
            } else if !advance() {
                return steps < Scheduler.stepLimit ? .stuck : .endless
            }
        }
        return .over
    }

    private func take() -> (Ready, dies: Bool)? {
        state.withLock { state in
            guard !state.ready.isEmpty, state.steps < Scheduler.stepLimit else { return nil }
            let ghost = state.hasGhosts ? state.ready.firstIndex { $0.executor.isDead } : nil
            if ghost == nil { state.hasGhosts = false }
            let place = ghost ?? choice(state)
            let next = state.ready.remove(at: place)
            state.steps += 1
            state.digest = (state.digest ^ UInt64(place << 8 | next.executor.process)) &* 0x100_0000_01B3
            guard let left = state.stepsToDeath, !next.executor.isDead else { return (next, false) }
            state.stepsToDeath = left > 0 ? left - 1 : nil
            return (next, left <= 0)
        }
    }

    private func choice(_ state: State) -> Int {
        let count = state.ready.count
        guard count > 1 else { return 0 }
        switch order {
        case .firstCome: return dice.happens(0.05) ? dice.below(count) : 0
        case .lastCome: return dice.happens(0.2) ? dice.below(count) : count - 1
        case .any: return dice.below(count)
        case .starving:
            let place = dice.below(count)
            guard state.ready[place].executor.process == state.starved, dice.happens(0.95) else { return place }
            return state.ready.firstIndex { $0.executor.process != state.starved } ?? place
        }
    }

    /// Moves the clock to the next timer.
    private func advance() -> Bool {
        let due = state.withLock { state -> [Timer] in
            guard let next = state.timers.last, state.steps < Scheduler.stepLimit else { return [] }
            state.now = max(state.now, next.due)
            state.digest = (state.digest ^ UInt64(bitPattern: state.now.microseconds)) &* 0x100_0000_01B3
            var due: [Timer] = []
            while let timer = state.timers.last, timer.due <= state.now { due.append(state.timers.removeLast()) }
            return due
        }
        for timer in due {
            switch timer.waking {
            case .sleeper(let continuation): continuation.resume()
            case .action(let action): action()
            }
        }
        return !due.isEmpty
    }

    // MARK: Time

    /// - Throws: `CancellationError`.
    func sleep(_ span: VirtualTime) async throws {
        let id = state.withLock { state in
            state.nextTimer += 1
            return state.nextTimer
        }
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Void, any Error>) in
                if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
                insert(id, after: span, .sleeper(continuation))
            }
        } onCancel: {
            let timer = state.withLock { state in
                state.timers.firstIndex { $0.id == id }.map { state.timers.remove(at: $0) }
            }
            if case .sleeper(let continuation)? = timer?.waking { continuation.resume(throwing: CancellationError()) }
        }
    }

    /// Calls `action`, outside any task, when the time has come.
    func after(_ span: VirtualTime, _ action: @escaping @Sendable () -> Void) {
        let id = state.withLock { state in
            state.nextTimer += 1
            return state.nextTimer
        }
        insert(id, after: span, .action(action))
    }

    private func insert(_ id: Int, after span: VirtualTime, _ waking: Waking) {
        state.withLock { state in
            let due = state.now + max(span, .seconds(0))
            let place = state.timers.firstIndex { $0.due <= due } ?? state.timers.endIndex
            state.timers.insert(Timer(due: due, id: id, waking: waking), at: place)
        }
    }

    // MARK: Deaths

    /// Lets the process that has the turn then die, in the middle of whatever it is about.
    func killAfter(steps: Int) { state.withLock { $0.stepsToDeath = steps } }

    func spareAll() {
        state.withLock {
            $0.stepsToDeath = nil
            $0.starved = nil
        }
    }

    /// Forgets what would have happened later.
    func clear() {
        state.withLock { $0.timers = [] }
        onDeath { _ in }
    }

    func noteGhosts() { state.withLock { $0.hasGhosts = true } }

    func starve(_ process: Int) { state.withLock { $0.starved = process } }

    func onDeath(_ action: @escaping @Sendable (Int) -> Void) { onDeath.withLock { $0 = action } }
}

/// In which order ready jobs run.
enum Order: String, CaseIterable, Sendable {
    case firstCome, lastCome, any, starving
}

/// The executor of one simulated process.
final class ProcessExecutor: TaskExecutor {
    let process: Int
    private let scheduler: Scheduler
    private let dead = Atomic(false)

    init(process: Int, scheduler: Scheduler) {
        self.process = process
        self.scheduler = scheduler
    }

    /// Its tasks have nothing to do any more but to end: they go first, and no port answers them.
    var isDead: Bool { dead.load(ordering: .relaxed) }

    func die() {
        dead.store(true, ordering: .relaxed)
        scheduler.noteGhosts()
    }

    func enqueue(_ job: consuming ExecutorJob) { scheduler.enqueue(UnownedJob(job), of: self) }
}
