import Logging
import Model

/// Writes events to the log, if a person should hear of each one.
public struct EventLog: EventSink {
    private let log: Logger

    /// - Parameter log: the log of the role or service that the events come from.
    public init(_ log: Logger) { self.log = log }

    /// Writes one line, or none.
    public func receive(_ event: Event, from source: EventSource) {
        switch event {
        case .settled(let settled): tell(settled, source)
        case .breakerChanged(let change): tell(change)
        case .connectionLost(let connection, let fault):
            log.warning("\(connection): connection lost, connecting again: \(fault)")
        case .reconnected(let connection, let place): log.notice("\(connection): connected to \(place) again")
        default: break
        }
    }

    private func tell(_ settled: Settled, _ source: EventSource) {
        guard case .dead(let letter) = settled.fate else { return }
        var metadata: Logger.Metadata = [:]
        if let image = settled.imageID { metadata["image"] = "\(image)" }
        if let job = settled.jobID { metadata["job"] = "\(job.text)" }
        log.warning(
            "a job of \(source.queue) is dead: \(letter.reason): \(letter.message)", metadata: metadata)
    }

    private func tell(_ change: BreakerChange) {
        switch change.state {
        case .open where !change.isReopened:
            log.warning("\(change.service) \(change.cause ?? "is down"); its jobs stay in the queue")
        case .closed: log.notice("\(change.service) works again")
        case .open, .halfOpen: break
        }
    }
}
