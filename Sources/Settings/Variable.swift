/// The variables that farm reads (spec section 2).
enum Variable: String, CaseIterable {
    case queueHost = "QUEUE_HOST"
    case queueUser = "QUEUE_USER"
    case queuePassword = "QUEUE_PASSWORD"
    case queuePasswordFile = "QUEUE_PASSWORD_FILE"
    case queuePort = "QUEUE_PORT"
    case queueVirtualHost = "QUEUE_VHOST"
    case queueTLS = "QUEUE_TLS"
    case queueCAFile = "QUEUE_CA_FILE"
    case queueType = "QUEUE_TYPE"
    case queuePartitions = "QUEUE_PARTITIONS"

    case databaseHost = "DB_HOST"
    case databaseName = "DB_NAME"
    case databaseUser = "DB_USER"
    case databasePassword = "DB_PASSWORD"
    case databasePasswordFile = "DB_PASSWORD_FILE"
    case databasePort = "DB_PORT"
    case databaseSSLMode = "DB_SSLMODE"
    case databaseCAFile = "DB_CA_FILE"
    case databaseReadHost = "DB_READ_HOST"

    case farmDatabase = "FARM_DB"

    case enableMonitoring = "ENABLE_MONITORING"
    case monitoringHost = "MONITORING_DB_HOST"
    case monitoringName = "MONITORING_DB_NAME"
    case monitoringUser = "MONITORING_DB_USER"
    case monitoringPassword = "MONITORING_DB_PASSWORD"
    case monitoringPasswordFile = "MONITORING_DB_PASSWORD_FILE"
    case monitoringPort = "MONITORING_DB_PORT"
    case monitoringTLS = "MONITORING_DB_TLS"
    case monitoringCAFile = "MONITORING_DB_CA_FILE"

    case imageRoot = "IMAGE_ROOT"
    case denyPrivateImageURLs = "DENY_PRIVATE_IMAGE_URLS"

    case serviceConfig = "SERVICE_CONFIG"
    case serviceName = "SERVICE_NAME"
    case workerID = "WORKER_ID"
    case workerPrefetchCount = "WORKER_PREFETCH_COUNT"
    case logLevel = "LOG_LEVEL"
    case logFormat = "LOG_FORMAT"
    case logFile = "LOG_FILE"

    case metricsListen = "METRICS_LISTEN"

    case webToken = "WEB_TOKEN"
    case webTokenFile = "WEB_TOKEN_FILE"
    case webReadToken = "WEB_READ_TOKEN"
    case webReadTokenFile = "WEB_READ_TOKEN_FILE"
    case webAllowedHosts = "WEB_ALLOWED_HOSTS"
    case webCacheFolder = "WEB_CACHE_DIR"
    case webCacheSize = "WEB_CACHE_SIZE"
    case webUploadFolder = "WEB_UPLOAD_DIR"
    case webhookSecret = "WEBHOOK_SECRET"
    case webhookSecretFile = "WEBHOOK_SECRET_FILE"
    case webhookTries = "WEBHOOK_TRIES"
    case webhookWait = "WEBHOOK_WAIT"

    case otelEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
    case otelServiceName = "OTEL_SERVICE_NAME"
    case otelTracesSamplerArgument = "OTEL_TRACES_SAMPLER_ARG"

    case requestTimeout = "REQUEST_TIMEOUT"
    case maxRetries = "MAX_RETRIES"
    case retryDelay = "RETRY_DELAY"
    case processingDelay = "PROCESSING_DELAY"
    case heartbeatInterval = "HEARTBEAT_INTERVAL"
    case shutdownTimeout = "SHUTDOWN_TIMEOUT"
    case defaultConfidence = "DEFAULT_CONFIDENCE"

    /// For secrets, the variable that names a file with the value.
    var fileVariant: Variable? {
        switch self {
        case .queuePassword: .queuePasswordFile
        case .databasePassword: .databasePasswordFile
        case .monitoringPassword: .monitoringPasswordFile
        case .webToken: .webTokenFile
        case .webReadToken: .webReadTokenFile
        case .webhookSecret: .webhookSecretFile
        default: nil
        }
    }

    /// Variables of the older scripts that farm does not read, and why.
    static let older: KeyValuePairs<String, String> = [
        "QUEUE_NAME": queuesAreNamed,
        "BBOX_QUEUE_NAME": queuesAreNamed,
        "DOWNSTREAM_QUEUE": queuesAreNamed,
        "SPATIAL_QUEUE_NAME": queuesAreNamed,
        "CONSENSUS_QUEUE_NAME": queuesAreNamed,
        "LOW_CONFIDENCE_THRESHOLD":
            "ignored: boxes are judged by merging.lone_confidence and merging.min_confidence in service_config.json",
    ]

    private static let queuesAreNamed =
        "ignored: queues are named queue_SERVICE, queue_bbox_merge, queue_spatial_enrichment and queue_consensus"
}
