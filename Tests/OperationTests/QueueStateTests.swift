import Model
import Operations
import Pipeline
import Testing

@Suite("Why a queue does not move")
struct QueueStateTests {
    private func depth(_ waiting: Int) -> QueueDepth {
        QueueDepth(queue: "queue_clip", waiting: waiting, inFlight: 0, dead: 0)
    }

    private func worker(_ revision: Int?, _ condition: WorkerCondition = WorkerCondition(.working)) -> RegisteredWorker
    {
        RegisteredWorker(
            workerID: "w", service: "clip", host: "k3", queue: "queue_clip", condition: condition, revision: revision)
    }

    private func control(_ change: (inout ServiceControl) -> Void) -> ServiceControl {
        var control = ServiceControl(service: "clip")
        (control.revision, control.setBy) = (3, "anna")
        change(&control)
        return control
    }

    @Test("a pause is the reason as long as something waits, and says how many workers obey it already")
    func paused() {
        let paused = control { ($0.isPaused, $0.reason) = (true, "new model") }
        let some = QueueState(depth(5), workers: [worker(3), worker(2), worker(nil), worker(4)], control: paused)
        #expect(some.why == "paused by anna: new model")
        #expect(some.text == "paused by anna: new model; 2 of 4 obey" && some.obeying == 2)
        let all = QueueState(depth(0), workers: [worker(3)], control: paused)
        #expect(all.why == nil && all.text == "paused by anna: new model" && all.obeying == 1)
        #expect(QueueState(depth(5), workers: [], control: paused).why == "paused by anna: new model")
        let unknown = QueueState(depth(5), workers: nil, control: paused)
        #expect(unknown.why == "paused by anna: new model" && unknown.obeying == nil)
    }

    @Test("a limit is no reason, but why it is slow; nobody obeys what was never set")
    func limited() {
        let limited = control { ($0.rateLimit, $0.concurrency) = (20, 1) }
        let state = QueueState(depth(5), workers: [worker(2)], control: limited)
        #expect(state.why == nil && state.slowness == "limited to 20/s")
        #expect(state.text == "working; limited to 20/s; at most 1 call for each worker; 0 of 1 obey")
        #expect(QueueState(depth(0), workers: [worker(3)], control: limited).slowness == nil)
        let free = QueueState(depth(5), workers: [worker(nil)])
        #expect(free.text == "working" && free.obeying == nil && free.slowness == nil)
    }

    @Test("without a pause: nobody works on it, its service is down, the store or the broker takes nothing")
    func others() {
        let down = WorkerCondition(.serviceDown, reason: "refused")
        let away = PortFault(.transient, place: "k1", message: "no answer")
        #expect(QueueState(depth(5), workers: []).why == "no worker")
        #expect(QueueState(depth(0), workers: []).why == nil)
        #expect(QueueState(depth(5), workers: [worker(nil, down), worker(nil, down)]).why == "down on k3: refused")
        #expect(QueueState(depth(5), workers: [worker(nil, down), worker(nil)]).why == nil)
        #expect(
            QueueState(depth(5), workers: nil, absence: away).why?.hasPrefix("the database cannot be reached") == true)
        #expect(QueueState(depth(5), workers: [worker(nil)], blockade: "memory").why?.contains("memory") == true)
        #expect(QueueState(depth(5), workers: [worker(nil)], refusal: away).why == "the store takes no rows")
    }
}
