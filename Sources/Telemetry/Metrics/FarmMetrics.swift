/// The metrics that farm exports. docs/metrics.md is made from this list.
///
/// A label is a service or role (`service`), a queue, or one of a few words. It is never the id of an image, a job or a
/// worker.
package final class FarmMetrics: Sendable {
    package let registry = Registry()

    let buildInfo: Family<Gauge>
    let jobsPublished: Family<Counter>
    let jobs: Family<Counter>
    let jobErrors: Family<Counter>
    let jobRetries: Family<Counter>
    let jobsInFlight: Family<Gauge>
    let jobWait: Family<Histogram>
    let jobDuration: Family<Histogram>
    let serviceRequestDuration: Family<Histogram>
    let serviceReported: Family<Histogram>
    let serviceResponseBytes: Family<Histogram>
    let serviceUp: Family<Gauge>
    let breakerState: Family<Gauge>
    let breakerOpens: Family<Counter>
    let concurrencyLimit: Family<Gauge>
    let prefetchLimit: Family<Gauge>
    let rateLimitWait: Family<Counter>
    let paused: Family<Gauge>
    let queueMessages: Family<Gauge>
    let queueOldest: Family<Gauge>
    let queueConsumers: Family<Gauge>
    let deadLetters: Family<Counter>
    let publishConfirm: Family<Histogram>
    let brokerReconnects: Family<Counter>
    let storeCommit: Family<Histogram>
    let storeBatchRows: Family<Histogram>
    let storeErrors: Family<Counter>
    let triggerBatchImages: Family<Histogram>
    let mergePredictions: Family<Counter>
    let predictionsDropped: Family<Counter>
    let consensusLag: Family<Histogram>
    let imageFetch: Family<Histogram>
    let webhookPost: Family<Histogram>
    let workerLastHeartbeat: Family<Gauge>
    let httpRequestDuration: Family<Histogram>
    let sampleTimestamp: Family<Gauge>

    package init(version: String) {
        let list = MetricList(registry)
        buildInfo = list.gauge("build_info", ["version"], "Always 1; the label tells which farm this is.")
        jobsPublished = list.counter(
            "jobs_published_total", ["queue"], "Jobs and triggers that the queue has confirmed.")
        jobs = list.counter(
            "jobs_total", ["service", "outcome"], "Jobs and triggers that were settled.", ["outcome": JobOutcome.words])
        jobErrors = list.counter(
            "job_errors_total", ["service", "kind"], "Jobs that left a row with status error, by its kind.")
        jobRetries = list.counter(
            "job_retries_total", ["service", "kind"],
            "Tries of a call after its first one, by why the try before failed.")
        jobsInFlight = list.gauge(
            "jobs_in_flight", ["service"], "Jobs and triggers that were taken and are not settled.")
        jobWait = list.histogram(
            "job_wait_seconds", ["service"],
            "From a job's submission until it is taken. A job that goes back counts each time it is taken.", .waits)
        jobDuration = list.histogram(
            "job_duration_seconds", ["service"], "From taking a job or trigger until it is acknowledged.", .calls)
        serviceRequestDuration = list.histogram(
            "service_request_duration_seconds", ["service", "outcome"], "One HTTP call of a service.", .calls)
        serviceReported = list.histogram(
            "service_reported_seconds", ["service"], "The processing_time that the service's answer states.", .calls)
        serviceResponseBytes = list.histogram(
            "service_response_bytes", ["service"], "The length of the service's answer.", .bytes)
        serviceUp = list.gauge(
            "service_up", ["service"], "1 if the service has answered the last call or probe, else 0.")
        breakerState = list.gauge(
            "breaker_state", ["service", "state"], "1 for the present state of the service's circuit breaker.",
            ["state": ["closed", "open", "half_open"]])
        breakerOpens = list.counter("breaker_opens_total", ["service"], "How often the circuit breaker has opened.")
        concurrencyLimit = list.gauge("concurrency_limit", ["service"], "How many calls may be in flight at once.")
        prefetchLimit = list.gauge("prefetch_limit", ["service"], "How many deliveries may be unsettled at once.")
        rateLimitWait = list.counter(
            "rate_limit_wait_seconds_total", ["service"],
            "How long this process has waited for the rate limit before taking jobs.")
        paused = list.gauge("paused", ["service"], "1 while the service or role is paused by an operator, else 0.")
        queueMessages = list.gauge(
            "queue_messages", ["queue", "state"],
            "Messages in the queue, as last sampled. AMQP does not tell what is in flight.",
            ["state": ["ready", "in_flight", "dead"]])
        queueOldest = list.gauge(
            "queue_oldest_seconds", ["queue"], "The age of the oldest waiting message, if the queue can tell.")
        queueConsumers = list.gauge("queue_consumers", ["queue"], "Consumers of the queue, if the queue can tell.")
        deadLetters = list.counter("dead_letters_total", ["queue", "reason"], "Messages moved to the dead queue.")
        publishConfirm = list.histogram(
            "publish_confirm_seconds", [], "From handing a batch to the queue until it is confirmed.", .calls)
        brokerReconnects = list.counter(
            "broker_reconnects_total", [], "Connections to the broker that were opened again.")
        storeCommit = list.histogram(
            "store_commit_seconds", ["operation"], "From beginning to write a group of rows until it is committed.",
            .calls)
        storeBatchRows = list.histogram(
            "store_batch_rows", ["operation"], "Jobs or images in one group of rows.", .counts)
        storeErrors = list.counter(
            "store_errors_total", ["kind"],
            "Groups and single rows that the store has not admitted or written, after trying again.",
            ["kind": ["transient", "refused", "unusable"]])
        triggerBatchImages = list.histogram(
            "trigger_batch_images", ["service"], "Images that a role computed in one group.", .counts)
        mergePredictions = list.counter(
            "merge_predictions_total", ["service", "fate"], "Detectors' predictions that a merge has read.",
            ["fate": ["fused", "lone", "dropped"]])
        predictionsDropped = list.counter(
            "predictions_dropped_total", ["service", "reason"], "Detectors' predictions that no merge can use.")
        consensusLag = list.histogram(
            "consensus_lag_seconds", [], "From an image's newest answer until its consensus is stored.", .waits)
        imageFetch = list.histogram("image_fetch_seconds", ["outcome"], "Fetching a picture by its URL.", .calls)
        webhookPost = list.histogram(
            "webhook_post_seconds", ["outcome"],
            "Posting a webhook once: success, the class of another status such as 5xx, failed (no answer) or refused (by its address).",
            .calls)
        workerLastHeartbeat = list.gauge(
            "worker_last_heartbeat_timestamp_seconds", ["service", "host"],
            "When a worker of the service on the host was last seen, as last sampled. One that ended in order is left out."
        )
        httpRequestDuration = list.histogram(
            "http_request_duration_seconds", ["route", "code"], "Requests to farm's own web server.", .calls)
        sampleTimestamp = list.gauge(
            "sample_timestamp_seconds", ["source"], "When the sampler last read this source.",
            ["source": Sampler.Source.allCases.map(\.rawValue)])
        buildInfo.labelled(version).set(1)
    }
}

extension FarmMetrics {
    /// Counts a request that farm's own web server has answered.
    package func answered(route: String, code: Int, seconds: Double) {
        httpRequestDuration.labelled(route, "\(code)").record(seconds)
    }
}

/// The outcomes of a job or trigger.
enum JobOutcome: String, CaseIterable {
    case success
    case error
    case givenBack = "given_back"
    case duplicate

    static var words: [String] { allCases.map(\.rawValue) }
}

/// Adds metrics to a registry, in the order of the list.
private struct MetricList {
    /// The upper bounds of buckets.
    enum Buckets {
        case calls
        case waits
        case bytes
        case counts

        private static let seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60]

        var bounds: [Double] {
            switch self {
            case .calls: Buckets.seconds
            case .waits: Buckets.seconds + [300, 1_800, 3_600, 21_600]
            case .bytes: [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216]
            case .counts: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000]
            }
        }
    }

    let registry: Registry

    init(_ registry: Registry) { self.registry = registry }

    func counter(
        _ name: String, _ labels: [String], _ help: String, _ values: [String: [String]] = [:]
    ) -> Family<Counter> {
        registry.add(MetricDefinition("farm_" + name, .counter, labels: labels, help: help, values: values))
    }

    func gauge(
        _ name: String, _ labels: [String], _ help: String, _ values: [String: [String]] = [:]
    ) -> Family<Gauge> {
        registry.add(MetricDefinition("farm_" + name, .gauge, labels: labels, help: help, values: values))
    }

    func histogram(_ name: String, _ labels: [String], _ help: String, _ buckets: Buckets) -> Family<Histogram> {
        registry.add(MetricDefinition("farm_" + name, .histogram(buckets.bounds), labels: labels, help: help))
    }
}
