import Model
import Pipeline

extension MonitorReport {
    /// The output of `farm monitor --json` (spec section 1).
    package var json: JSON {
        .object([
            "dead_workers": .array(
                deadWorkers.map {
                    .object([
                        "worker_id": .string($0.workerID), "service_name": .string($0.serviceName),
                        "node_hostname": .string($0.nodeHostname), "last_seen": .string(Timestamp.iso8601($0.lastSeen)),
                        "minutes_silent": .double($0.minutesSilent),
                    ])
                }),
            "performance": .array(
                performance.map {
                    .object([
                        "service_name": .string($0.serviceName), "workers": .int(Int64($0.workers)),
                        "jobs_per_minute": .double($0.jobsPerMinute), "jobs_completed": .int(Int64($0.jobsCompleted)),
                        "last_update": .string(Timestamp.iso8601($0.lastUpdate)),
                    ])
                }),
            "nodes": .array(
                nodes.map {
                    .object([
                        "node_hostname": .string($0.nodeHostname), "workers": .int(Int64($0.workers)),
                        "services": .array($0.services.map(JSON.string)),
                    ])
                }),
            "errors": .array(
                errors.map {
                    .object([
                        "timestamp": .string(Timestamp.iso8601($0.timestamp)), "worker_id": .string($0.workerID),
                        "service_name": .string($0.serviceName), "node_hostname": .string($0.nodeHostname),
                        "error_message": .string($0.message),
                    ])
                }),
        ])
    }
}
