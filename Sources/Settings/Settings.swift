import Model

/// Everything that farm is told by `.env`, the process environment and service_config.json, checked.
public struct Settings: Sendable, Equatable {
    /// RabbitMQ; nil: the embedded queue.
    public var queue: QueueSettings?
    /// PostgreSQL; nil: the embedded store.
    public var database: DatabaseSettings?
    /// The monitoring database, whenever all it needs is set, enabled or not: `monitor` reads it.
    public var monitoring: MonitoringSettings?
    /// Whether workers send heartbeats to `monitoring`.
    public var monitoringEnabled: Bool
    /// The file of the embedded queue and store, relative to the working directory.
    public var embeddedPath: String
    /// Whether FARM_DB is set.
    public var embeddedPathIsExplicit: Bool
    /// The file of settings that was read; nil: there is none.
    public var environmentFile: String?
    /// The services and roles of this box, and how boxes are merged and votes counted.
    public var services: ServiceConfiguration
    /// IMAGE_ROOT: the folder that files of images must lie in, absolute; nil: anywhere.
    public var imageRoot: String?
    /// DENY_PRIVATE_IMAGE_URLS: images are taken from public addresses only.
    public var deniesPrivateImageURLs: Bool
    /// How workers get their ids.
    public var workerID: WorkerIDRule
    /// SERVICE_NAME: what `work` serves when it is given no service.
    public var serviceName: String?
    /// What is logged, how and where.
    public var log: LogSettings
    /// METRICS_LISTEN: where this process answers scrapes; nil: nowhere.
    public var metricsListen: ListenAddress?
    /// Where traces are sent; nil: nowhere.
    public var traces: TraceSettings?
    /// WORKER_PREFETCH_COUNT; nil: the concurrency.
    public var prefetch: Int?
    /// Of one try of a job.
    public var requestTimeout: Duration
    /// Tries per job.
    public var maxRetries: Int
    /// The base of the exponential back-off between tries.
    public var retryDelay: Duration
    /// The pause after each job.
    public var processingDelay: Duration
    /// Between the heartbeats of a worker.
    public var heartbeatInterval: Duration
    /// What work in flight gets to finish when a role stops.
    public var shutdownTimeout: Duration
    /// The confidence of a prediction that has none, 0…1.
    public var defaultConfidence: Double
    /// What is accepted but ignored, or may not be meant so: a sentence each, without secrets.
    public var warnings: [String]

    /// A service of the catalogue that the configuration need not name: on localhost at the catalogue's port, with
    /// the global time-outs.
    public func catalogueService(named name: String) -> ServiceSettings? {
        let tries = TryRule(timeout: requestTimeout, maxRetries: maxRetries, retryDelay: retryDelay)
        return CatalogueService.named(name).map { ServiceSettings($0, tries: tries) }
    }
}
