/// A table as farm needs it.
struct TableDefinition {
    var name: String
    /// The name and declaration of each column, the key first.
    var columns: [(name: String, declaration: String)]
    /// What follows the columns: a key of several columns.
    var constraint: String?
    var isWithoutRowID = false

    var sql: String {
        let parts = columns.map { "\($0.name) \($0.declaration)" } + [constraint].compactMap { $0 }
        return "CREATE TABLE IF NOT EXISTS \(name) (\(parts.joined(separator: ", ")))"
            + (isWithoutRowID ? " WITHOUT ROWID" : "")
    }
}

extension TableDefinition {
    /// Defaults to the present time, for rows that other tools insert.
    private static let now = "TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))"
    /// Ids are never used twice, as with PostgreSQL's SERIAL: a slow enricher must not find another box under an old
    /// id.
    static let serial = "INTEGER PRIMARY KEY AUTOINCREMENT"

    /// The tables that other programs know (spec section 4), with farm's own columns last.
    static let shared = [
        TableDefinition(
            name: "images",
            columns: [
                ("image_id", serial), ("image_filename", "VARCHAR(255)"), ("image_path", "TEXT"), ("image_url", "TEXT"),
                ("image_group", "TEXT"),
            ]),
        TableDefinition(
            name: "results",
            columns: [
                ("result_id", serial), ("image_id", "INTEGER"), ("service", "VARCHAR(50)"), ("data", "TEXT"),
                ("status", "VARCHAR(20)"), ("processing_time", "FLOAT"), ("result_created", now),
                ("worker_id", "VARCHAR(50)"),
                ("job_id", "TEXT"),
            ]),
        TableDefinition(
            name: "merged_boxes",
            columns: [
                ("merged_id", serial), ("image_id", "INTEGER"), ("source_result_ids", "TEXT"), ("merged_data", "TEXT"),
                ("status", "VARCHAR(20)"), ("created", now), ("worker_id", "VARCHAR(50)"),
            ]),
        TableDefinition(
            name: "consensus",
            columns: [
                ("consensus_id", serial), ("image_id", "INTEGER"), ("consensus_data", "TEXT"),
                ("processing_time", "FLOAT"),
                ("consensus_created", now),
            ]),
        TableDefinition(
            name: "postprocessing",
            columns: [
                ("postprocessing_id", serial), ("image_id", "INTEGER"), ("merged_box_id", "INTEGER"),
                ("service", "VARCHAR(50)"), ("data", "TEXT"), ("status", "VARCHAR(20)"), ("result_created", now),
            ]),
        TableDefinition(
            name: "worker_heartbeats",
            columns: [
                ("id", serial), ("timestamp", now), ("worker_id", "VARCHAR(50)"), ("service_name", "VARCHAR(50)"),
                ("node_hostname", "VARCHAR(50)"), ("status", "VARCHAR(20)"), ("jobs_completed", "INTEGER"),
                ("jobs_per_minute", "FLOAT"), ("last_job_time", "TEXT"), ("queue_depth", "INTEGER"),
                ("error_message", "TEXT"),
            ]),
    ]

    /// The tables that are farm's alone.
    static let own = farms + control + submissions + index

    private static let farms = [
        // Messages, ordered by due_at (ms). If delayed is 1, a message may be taken only from that time on. holder has
        // leased it.
        TableDefinition(
            name: "farm_queue",
            columns: [
                ("id", "INTEGER PRIMARY KEY"), ("queue", "TEXT NOT NULL"), ("body", "BLOB"), ("headers", "TEXT"),
                ("due_at", "INTEGER NOT NULL"), ("delayed", "INTEGER NOT NULL DEFAULT 0"),
                ("redelivered", "INTEGER NOT NULL DEFAULT 0"), ("holder", "INTEGER"),
            ]),
        // Processes that lease messages, until expires_at (ms). Ids are never used twice.
        TableDefinition(name: "farm_holders", columns: [("id", serial), ("expires_at", "INTEGER NOT NULL")]),
        // Dead letters.
        TableDefinition(
            name: "farm_dead",
            columns: [
                ("id", serial), ("queue", "TEXT NOT NULL"), ("body", "BLOB"), ("headers", "TEXT"),
                ("reason", "TEXT NOT NULL"),
                ("message", "TEXT NOT NULL"), ("tries", "INTEGER NOT NULL"), ("worker_id", "TEXT NOT NULL"),
                ("first_failure", "TEXT NOT NULL"), ("dead_since", "TEXT NOT NULL"), ("image_id", "INTEGER"),
                ("job_id", "TEXT"),
                ("service", "TEXT"),
            ]),
        // How many messages each queue has. Triggers keep it.
        TableDefinition(
            name: "farm_depths",
            columns: [
                ("queue", "TEXT PRIMARY KEY NOT NULL"), ("waiting", "INTEGER NOT NULL DEFAULT 0"),
                ("held", "INTEGER NOT NULL DEFAULT 0"), ("dead", "INTEGER NOT NULL DEFAULT 0"),
            ],
            isWithoutRowID: true),
        // Redelivered jobs that a run of a worker has begun and not settled.
        TableDefinition(
            name: "farm_begun",
            columns: [
                ("job_id", "TEXT NOT NULL"), ("worker_id", "TEXT NOT NULL"), ("run", "TEXT NOT NULL"),
                ("begun_at", "TEXT NOT NULL"),
            ],
            constraint: "PRIMARY KEY (job_id, worker_id, run)", isWithoutRowID: true),
        // Boxes whose crop service was down.
        TableDefinition(
            name: "farm_missing_enrichments",
            columns: [
                ("image_id", "INTEGER NOT NULL"), ("merged_id", "INTEGER NOT NULL"), ("service", "TEXT NOT NULL"),
            ],
            constraint: "PRIMARY KEY (image_id, merged_id, service)", isWithoutRowID: true),
        // Images whose consensus is missing or older than what it is based on. Triggers keep it.
        TableDefinition(name: "farm_stale", columns: [("image_id", "INTEGER PRIMARY KEY")]),
        // Files, and lines of lists, that an import has refused. Ids are never used twice: they show which are new.
        TableDefinition(
            name: "farm_refused",
            columns: [
                ("refused_id", serial), ("place", "TEXT NOT NULL"), ("reason", "TEXT NOT NULL"),
                ("refused_at", "TEXT NOT NULL"),
            ]),
        // Live workers: a row for each process and queue. A worker may be silent for `silence` seconds. `space` is the
        // machine and container in which `pid` counts. `revision` is the one of farm_control that it obeys. `rate` is in
        // jobs per second.
        TableDefinition(
            name: "farm_workers",
            columns: [
                ("run", "TEXT NOT NULL"), ("queue", "TEXT NOT NULL"), ("worker_id", "TEXT NOT NULL"),
                ("service", "TEXT NOT NULL"), ("host", "TEXT NOT NULL"), ("state", "TEXT NOT NULL"), ("reason", "TEXT"),
                ("silence", "INTEGER NOT NULL"), ("started", "TEXT NOT NULL"), ("seen", "TEXT NOT NULL"),
                ("space", "TEXT"), ("pid", "INTEGER"), ("revision", "INTEGER"), ("version", "TEXT"),
                ("concurrency", "INTEGER"), ("completed", "INTEGER"), ("rate", "REAL"), ("last_job", "TEXT"),
            ],
            constraint: "PRIMARY KEY (run, queue)", isWithoutRowID: true),
        // How many rows there are. Triggers keep it. `passed` is 1 for results with the status success, for
        // postprocessing rows with any status but error, and for rows of other tables.
        TableDefinition(
            name: "farm_counts",
            columns: [
                ("relation", "TEXT NOT NULL"), ("service", "TEXT NOT NULL"), ("passed", "INTEGER NOT NULL"),
                ("amount", "INTEGER NOT NULL DEFAULT 0"),
            ],
            constraint: "PRIMARY KEY (relation, service, passed)", isWithoutRowID: true),
        // When the counts were last corrected by counting.
        TableDefinition(name: "farm_recounts", columns: [("id", "INTEGER PRIMARY KEY"), ("counted", "TEXT NOT NULL")]),
        // How many rows of results came in, by the minute since 1970. Triggers keep it.
        TableDefinition(
            name: "farm_rates",
            columns: [
                ("minute", "INTEGER NOT NULL"), ("service", "TEXT NOT NULL"), ("done", "INTEGER NOT NULL DEFAULT 0"),
                ("errors", "INTEGER NOT NULL DEFAULT 0"),
            ],
            constraint: "PRIMARY KEY (minute, service)", isWithoutRowID: true),
        // What workers note about their queues: how many messages waited at the second `noted`, and how many jobs each
        // worker did in that minute.
        TableDefinition(
            name: "farm_progress",
            columns: [
                ("minute", "INTEGER NOT NULL"), ("queue", "TEXT NOT NULL"), ("run", "TEXT NOT NULL"),
                ("noted", "REAL NOT NULL"), ("waiting", "INTEGER NOT NULL"), ("done", "INTEGER NOT NULL"),
            ],
            constraint: "PRIMARY KEY (minute, queue, run)", isWithoutRowID: true),
    ]

    private static let submissions = [
        // How far submissions in a window have come. image_group is empty where images of any group are meant.
        TableDefinition(
            name: "farm_submissions",
            columns: [
                ("service", "TEXT NOT NULL"), ("image_group", "TEXT NOT NULL"), ("kind", "TEXT NOT NULL"),
                ("pass", "TEXT NOT NULL"), ("holder", "TEXT NOT NULL"), ("after_id", "INTEGER NOT NULL"),
                ("claimed_id", "INTEGER NOT NULL"), ("doubts", "TEXT NOT NULL"), ("images", "INTEGER NOT NULL"),
                ("baseline", "INTEGER NOT NULL"), ("is_over", "INTEGER NOT NULL"), ("changed", "TEXT NOT NULL"),
            ],
            constraint: "PRIMARY KEY (service, image_group, kind)", isWithoutRowID: true)
    ]

    /// How operators control the farm, and what they have done.
    private static let control = [
        // What is set for a service or role. rate_limit is in jobs per second. During a pause, set_by and set_at are those of
        // the pause.
        TableDefinition(
            name: "farm_control",
            columns: [
                ("service", "TEXT PRIMARY KEY NOT NULL"), ("paused", "INTEGER NOT NULL DEFAULT 0"),
                ("rate_limit", "REAL"), ("concurrency", "INTEGER"), ("until", "TEXT"), ("reason", "TEXT"),
                ("set_by", "TEXT NOT NULL"), ("set_at", "TEXT NOT NULL"), ("revision", "INTEGER NOT NULL"),
            ],
            isWithoutRowID: true),
        // How many tokens each rate limit has left, at a time in seconds since 1970.
        TableDefinition(
            name: "farm_tokens",
            columns: [
                ("service", "TEXT PRIMARY KEY NOT NULL"), ("tokens", "REAL NOT NULL"), ("refilled", "REAL NOT NULL"),
            ],
            isWithoutRowID: true),
        // What operators have done. Ids are never used twice.
        TableDefinition(
            name: "farm_audit",
            columns: [
                ("audit_id", serial), ("at", "TEXT NOT NULL"), ("who", "TEXT NOT NULL"), ("act", "TEXT NOT NULL"),
                ("filter", "TEXT NOT NULL"), ("count", "INTEGER NOT NULL"),
            ]),
    ]
}
