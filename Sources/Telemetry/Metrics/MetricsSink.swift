import Foundation
import Model
import Pipeline
import Synchronization
import Waiting

/// Makes metrics of events. Each event is counted here and nowhere else.
package final class MetricsSink: EventSink {
    private let metrics: FarmMetrics
    private let time: any Timekeeper
    private let roles = Mutex<[EventSource: RoleSeries]>([:])
    private let services = Mutex<[String: ServiceSeries]>([:])

    /// - Parameter time: the clock with which times of submission are compared.
    package init(_ metrics: FarmMetrics, time: any Timekeeper) {
        self.metrics = metrics
        self.time = time
    }

    /// The queues that roles of this process have consumed.
    package var queues: Set<String> { roles.withLock { Set($0.keys.map(\.queue)) }.filter { !$0.isEmpty } }

    /// Notes that this process has made a client of a service. Its breaker counts as closed until an event says
    /// otherwise.
    package func calls(_ service: String, concurrency: Int) {
        metrics.concurrencyLimit.labelled(service).set(concurrency)
        self.service(service).knows(.closed)
    }

    /// Counts what has happened.
    package func receive(_ event: Event, from source: EventSource) {
        switch event {
        case .began(let prefetch): role(source).began(prefetch: prefetch)
        case .prefetchChanged(let limit): role(source).prefetch.set(limit)
        case .taken(let count): role(source).inFlight.add(count)
        case .admitted(let submittedAt): admitted(submittedAt, role(source).wait)
        case .called(let call): service(source.service).called(call)
        case .retried(let kind): metrics.jobRetries.labelled(source.service, kind.rawValue).add()
        case .pictureFetched(let succeeded, let seconds):
            metrics.imageFetch.labelled(succeeded ? "success" : "error").record(seconds)
        case .webhookPosted(let outcome, let seconds):
            metrics.webhookPost.labelled(outcome).record(seconds)
        case .committed(let count, let seconds): committed(count, seconds, source)
        case .storeFailed(let kind): metrics.storeErrors.labelled(kind.word).add()
        case .failuresStored(let counts):
            for (kind, count) in counts { metrics.jobErrors.labelled(source.service, kind).add(count) }
        case .published(let counts, let seconds):
            for (queue, count) in counts { metrics.jobsPublished.labelled(queue).add(count) }
            metrics.publishConfirm.labelled().record(seconds)
        case .settled(let settled): role(source).settled(settled)
        case .breakerChanged(let change): service(source.service).changed(change)
        case .controlChanged(let control): metrics.paused.labelled(control.service).set(control.isPaused ? 1 : 0)
        case .concurrencyChanged(let count): metrics.concurrencyLimit.labelled(source.service).set(count)
        case .waitedForRate(let seconds): role(source).rateLimitWait.add(seconds)
        case .probed(let isUp): service(source.service).isUp(isUp)
        case .connectionLost: break
        case .reconnected: metrics.brokerReconnects.add()
        case .merged(let counts): for count in counts { merged(count) }
        case .agreed(let lags): for lag in lags { metrics.consensusLag.labelled().record(lag) }
        }
    }

    private func admitted(_ submittedAt: [String], _ wait: Histogram?) {
        guard let wait, !submittedAt.isEmpty else { return }
        let now = time.now()
        // Another program may write the time in a form that farm does not read.
        for date in submittedAt.compactMap(Timestamp.date) { wait.record(now.timeIntervalSince(date)) }
    }

    /// A worker commits jobs. A post-processing role commits images, however many triggers asked for them.
    private func committed(_ count: Int, _ seconds: Double, _ source: EventSource) {
        // Callbacks write no rows.
        guard source.service != Callback.service else { return }
        let operation: String
        switch PostProcessing(rawValue: source.service) {
        case .merger: operation = "boxes"
        case .enricher: operation = "enrichments"
        case .consensus: operation = "consensus"
        case nil: operation = "results"
        }
        metrics.storeCommit.labelled(operation).record(seconds)
        metrics.storeBatchRows.labelled(operation).record(Double(count))
        if operation != "results" { metrics.triggerBatchImages.labelled(source.service).record(Double(count)) }
    }

    private func merged(_ predictions: PredictionCount) {
        let fate: String
        switch predictions.fate {
        case .fused: fate = "fused"
        case .lone: fate = "lone"
        case .dropped: fate = "dropped"
        case .invalid(let reason):
            metrics.predictionsDropped.labelled(predictions.service, reason).add(predictions.count)
            return
        }
        metrics.mergePredictions.labelled(predictions.service, fate).add(predictions.count)
    }

    private func role(_ source: EventSource) -> RoleSeries {
        roles.withLock { roles in
            if let series = roles[source] { return series }
            let series = RoleSeries(metrics, source)
            roles[source] = series
            return series
        }
    }

    private func service(_ name: String) -> ServiceSeries {
        services.withLock { services in
            if let series = services[name] { return series }
            let series = ServiceSeries(metrics, name)
            services[name] = series
            return series
        }
    }
}

/// The series of a role that consumes a queue, looked up once. They exist with the value 0 from the role's first event,
/// so that the first job shows as an increase.
private final class RoleSeries: Sendable {
    let inFlight: Gauge
    /// nil for callbacks, which wait on purpose, and for a post-processing role: a trigger does not say when the image's
    /// job was submitted.
    let wait: Histogram?
    let prefetch: Gauge
    let rateLimitWait: Counter
    private let duration: Histogram
    private let success: Counter
    private let error: Counter
    private let givenBack: Counter
    private let duplicate: Counter
    private let deadLetters: Family<Counter>
    private let queue: String

    init(_ metrics: FarmMetrics, _ source: EventSource) {
        let service = source.service
        inFlight = metrics.jobsInFlight.labelled(service)
        let isOfJobs = service != Callback.service && PostProcessing(rawValue: service) == nil
        wait = isOfJobs ? metrics.jobWait.labelled(service) : nil
        prefetch = metrics.prefetchLimit.labelled(service)
        rateLimitWait = metrics.rateLimitWait.labelled(service)
        duration = metrics.jobDuration.labelled(service)
        func jobs(_ outcome: JobOutcome) -> Counter { metrics.jobs.labelled(service, outcome.rawValue) }
        (success, error) = (jobs(.success), jobs(.error))
        (givenBack, duplicate) = (jobs(.givenBack), jobs(.duplicate))
        deadLetters = metrics.deadLetters
        queue = source.queue
    }

    func began(prefetch limit: Int) {
        prefetch.set(limit)
        // A role that failed no longer holds what it had in hand.
        inFlight.set(0)
    }

    func settled(_ settled: Settled) {
        inFlight.add(-settled.count)
        for seconds in settled.durations { duration.record(seconds) }
        switch settled.fate {
        case .success: success.add(settled.count)
        case .duplicate: duplicate.add(settled.count)
        case .givenBack: givenBack.add(settled.count)
        case .dead(let letter):
            error.add(settled.count)
            deadLetters.labelled(queue, letter.reason).add(settled.count)
        }
    }
}

/// The series of a service that is called, looked up once.
private final class ServiceSeries: Sendable {
    private let opens: Counter
    private let states: [(state: BreakerState, gauge: Gauge)]
    private let reported: Histogram
    private let bytes: Histogram
    private let up: Family<Gauge>
    private let durations: Family<Histogram>
    private let service: String

    init(_ metrics: FarmMetrics, _ service: String) {
        self.service = service
        opens = metrics.breakerOpens.labelled(service)
        states = BreakerState.allCases.map { ($0, metrics.breakerState.labelled(service, $0.rawValue)) }
        reported = metrics.serviceReported.labelled(service)
        bytes = metrics.serviceResponseBytes.labelled(service)
        durations = metrics.serviceRequestDuration
        up = metrics.serviceUp
        knows(.closed)
    }

    func called(_ call: ServiceCall) {
        durations.labelled(service, call.outcome).record(call.seconds)
        if let seconds = call.reported { reported.record(seconds) }
        if let count = call.bytes { bytes.record(Double(count)) }
        // Nothing is known about a call that was cut off, or that came too late. As for a probe, 5xx is no answer.
        if let status = call.status {
            isUp(status < 500)
        } else if FailureKind(rawValue: call.outcome)?.isOfReach == true {
            isUp(false)
        }
    }

    func isUp(_ isUp: Bool) { up.labelled(service).set(isUp ? 1 : 0) }

    func changed(_ change: BreakerChange) {
        // A failed trial does not count as an opening.
        if change.state == .open, !change.isReopened { opens.add() }
        knows(change.state)
    }

    func knows(_ state: BreakerState) { for (one, gauge) in states { gauge.set(one == state ? 1 : 0) } }
}

extension FailureKind {
    /// Whether the service was not reached, or did not answer in time.
    fileprivate var isOfReach: Bool { self == .connection || self == .timeout }
}

extension PortFault.Kind {
    fileprivate var word: String {
        switch self {
        case .transient: "transient"
        case .refused: "refused"
        case .unusable: "unusable"
        }
    }
}
