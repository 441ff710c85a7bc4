import Pipeline

/// The callers that wait for the connection, and whether waiting makes sense.
struct WaitingCalls {
    typealias Fail = @Sendable (PortFault) -> Void

    var isClosed = false
    private var lastID = 0
    /// The callers that have no answer yet, including the running one.
    private var waiting: [Int: Fail] = [:]
    private var running: (id: Int, since: ContinuousClock.Instant)?
    /// Why the last call had no server. nil if it had one.
    private var outage: PortFault?

    /// Lets a caller wait, unless it would wait for a server that does not answer.
    mutating func admit(_ place: String, patience: Duration, fail: @escaping Fail) -> Result<Int, PortFault> {
        guard !isClosed else { return .failure(PortFault(.unusable, place: place, message: "is closed")) }
        if let running {
            if let outage { return .failure(outage) }
            guard running.since.duration(to: .now) < patience else {
                return .failure(
                    PortFault(.transient, place: place, message: "is slow: another call waits for its answer"))
            }
        }
        lastID += 1
        waiting[lastID] = fail
        return .success(lastID)
    }

    /// - Returns: whether the caller is still waiting.
    mutating func begin(_ id: Int) -> Bool {
        guard waiting[id] != nil else { return false }
        running = (id, .now)
        return true
    }

    /// - Returns: the callers that the outage ends too.
    mutating func end(_ id: Int, outage: PortFault? = nil) -> [Fail] {
        running = nil
        waiting[id] = nil
        self.outage = outage
        return outage == nil ? [] : takeAll()
    }

    /// A caller has waited for long enough, and with it all that wait for the same answer.
    mutating func expire(_ id: Int, _ fault: PortFault) -> [Fail] {
        guard waiting[id] != nil else { return [] }
        outage = fault
        return takeAll()
    }

    private mutating func takeAll() -> [Fail] {
        defer { waiting = [:] }
        return Array(waiting.values)
    }
}
