import Model

/// All settings from `.env`, the process environment and service_config.json, checked.
public struct Settings: Sendable, Equatable {
    /// The RabbitMQ servers. nil for the embedded queue.
    public var queue: QueueSettings?
    /// The PostgreSQL server. nil for the embedded store.
    public var database: DatabaseSettings?
    /// The monitoring database, if everything that it needs is set, whether it is enabled or not: `monitor` reads it.
    public var monitoring: MonitoringSettings?
    /// Whether workers send heartbeats to `monitoring`.
    public var monitoringEnabled: Bool
    /// The file of the embedded queue and store, relative to the working directory.
    public var embeddedPath: String
    /// Whether FARM_DB is set.
    public var embeddedPathIsExplicit: Bool
    /// The settings file that was read. nil if there is none.
    public var environmentFile: String?
    /// The services and roles of this machine, and the options of merging and voting.
    public var services: ServiceConfiguration
    /// IMAGE_ROOT: the folder that image files must be in, absolute. nil for anywhere.
    public var imageRoot: String?
    /// DENY_PRIVATE_IMAGE_URLS: whether images are fetched only from public addresses.
    public var deniesPrivateImageURLs: Bool
    /// How workers get their ids.
    public var workerID: WorkerIDRule
    /// SERVICE_NAME: the service of `work` if none is named.
    public var serviceName: String?
    /// What is logged, how, and where.
    public var log: LogSettings
    /// METRICS_LISTEN: the address on which this process serves metrics. nil for none.
    public var metricsListen: ListenAddress?
    /// Who may look at the pages, and who may act there.
    public var web: WebSettings
    /// Where the web keeps photos that it has made smaller. nil if it keeps none.
    public var webCache: WebCacheSettings?
    /// WEB_UPLOAD_DIR, otherwise IMAGE_ROOT: the folder that uploads are written to, absolute. nil if none are taken.
    public var uploadFolder: String?
    /// How webhooks are signed and tried. nil if WEBHOOK_SECRET is not set: then there are none.
    public var webhooks: WebhookSettings?
    /// Where traces are sent. nil if they are not.
    public var traces: TraceSettings?
    /// WORKER_PREFETCH_COUNT. nil: workers find it by themselves.
    public var prefetch: Int?
    /// The limit for one try of a job.
    public var requestTimeout: Duration
    /// The number of tries for each job.
    public var maxRetries: Int
    /// The base of the exponential back-off between tries.
    public var retryDelay: Duration
    /// The pause after each job.
    public var processingDelay: Duration
    /// The time between the heartbeats of a worker.
    public var heartbeatInterval: Duration
    /// How long work in flight may take to finish when a role stops.
    public var shutdownTimeout: Duration
    /// The confidence of a prediction that has none, from 0 to 1.
    public var defaultConfidence: Double
    /// What is ignored, or may not be meant: one sentence each, without secrets.
    public var warnings: [String]

    /// A service of the catalogue that the configuration need not name: on localhost at the catalogue's port, with the
    /// global time-outs.
    public func catalogueService(named name: String) -> ServiceSettings? {
        let tries = TryRule(timeout: requestTimeout, maxRetries: maxRetries, retryDelay: retryDelay)
        return CatalogueService.named(name).map { ServiceSettings($0, tries: tries) }
    }
}
