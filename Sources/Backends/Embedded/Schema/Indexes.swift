/// The indexes of the shared tables and of farm's own.
enum Indexes {
    /// Makes enrichment rows unique by box and service. Rows that older programs wrote for other services are not
    /// covered. It can be made only after `Takeover` has set duplicates aside.
    static let enrichmentKey = """
        CREATE UNIQUE INDEX IF NOT EXISTS farm_postprocessing_key ON postprocessing (image_id, merged_box_id, service) \
        WHERE service IN ('face', 'pose', 'colors')
        """

    static let all = [
        "CREATE INDEX IF NOT EXISTS farm_images_path ON images (image_path) WHERE image_path IS NOT NULL",
        "CREATE INDEX IF NOT EXISTS farm_images_url ON images (image_url) WHERE image_url IS NOT NULL",
        "CREATE INDEX IF NOT EXISTS farm_images_filename ON images (image_filename)",
        "CREATE INDEX IF NOT EXISTS farm_images_group ON images (image_group)",

        // A job has one row, however often it is delivered.
        "CREATE UNIQUE INDEX IF NOT EXISTS farm_results_job ON results (image_id, job_id) WHERE job_id IS NOT NULL",
        // For the newest row, and the newest successful row, of an image and service.
        "CREATE INDEX IF NOT EXISTS farm_results_newest ON results (image_id, service, status, result_id)",
        // For counts, the last row and percentiles by service, without reading the large rows.
        "CREATE INDEX IF NOT EXISTS farm_results_service ON results (service, status, result_created, processing_time)",

        "CREATE INDEX IF NOT EXISTS farm_merged_boxes_image ON merged_boxes (image_id)",
        "CREATE INDEX IF NOT EXISTS farm_consensus_image ON consensus (image_id)",
        // For rows of any service: deleting a box deletes all of them.
        "CREATE INDEX IF NOT EXISTS farm_postprocessing_box ON postprocessing (image_id, merged_box_id)",

        // For recent failures. Rows that succeed cost nothing here.
        "CREATE INDEX IF NOT EXISTS farm_postprocessing_failed ON postprocessing (result_created) WHERE status = 'error'",

        "CREATE INDEX IF NOT EXISTS idx_worker_time ON worker_heartbeats (worker_id, timestamp)",
        "CREATE INDEX IF NOT EXISTS idx_service_time ON worker_heartbeats (service_name, timestamp)",
        "CREATE INDEX IF NOT EXISTS farm_heartbeats_time ON worker_heartbeats (timestamp)",

        // The first index holds only messages that can be taken, in the order of taking (SQLite adds the rowid at the
        // end). Delayed and leased messages are not in the way.
        "CREATE INDEX IF NOT EXISTS farm_queue_ready ON farm_queue (queue, due_at) WHERE holder IS NULL AND delayed = 0",
        "CREATE INDEX IF NOT EXISTS farm_queue_delayed ON farm_queue (due_at) WHERE delayed = 1",
        "CREATE INDEX IF NOT EXISTS farm_queue_held ON farm_queue (holder) WHERE holder IS NOT NULL",
        "CREATE INDEX IF NOT EXISTS farm_dead_queue ON farm_dead (queue)",
        "CREATE INDEX IF NOT EXISTS farm_missing_service ON farm_missing_enrichments (service, image_id)",
        "CREATE INDEX IF NOT EXISTS farm_refused_place ON farm_refused (place)",

        // What images are searched by; image_id comes last by itself.
        "CREATE INDEX IF NOT EXISTS farm_indexed_state_id ON farm_indexed_images (state_id)",
        "CREATE INDEX IF NOT EXISTS farm_indexed_votes ON farm_indexed_images (votes)",
        "CREATE INDEX IF NOT EXISTS farm_indexed_sureness ON farm_indexed_images (sureness)",
    ]
}
