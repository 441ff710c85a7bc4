/// The older system's guide, word for word: what its operators type (docs/deploying.md maps it to farm's).
enum Guide {
    // MARK: Step 1: infrastructure

    static let tables = """
        CREATE TABLE images (image_id SERIAL PRIMARY KEY, image_filename VARCHAR(255), image_path TEXT, image_url TEXT);
        CREATE TABLE results (result_id SERIAL PRIMARY KEY, image_id INT, service VARCHAR(50), data JSONB, status VARCHAR(20), processing_time FLOAT, result_created TIMESTAMP DEFAULT NOW(), worker_id VARCHAR(50));
        CREATE TABLE merged_boxes (merged_id SERIAL PRIMARY KEY, image_id INT, source_result_ids INT[], merged_data JSONB, status VARCHAR(20), created TIMESTAMP DEFAULT NOW(), worker_id VARCHAR(50));
        CREATE TABLE consensus (consensus_id SERIAL PRIMARY KEY, image_id INT, consensus_data JSONB, processing_time FLOAT, consensus_created TIMESTAMP DEFAULT NOW());
        CREATE TABLE postprocessing (postprocessing_id SERIAL PRIMARY KEY, image_id INT, merged_box_id INT, service VARCHAR(50), data JSONB, status VARCHAR(20), result_created TIMESTAMP DEFAULT NOW());
        """

    static let monitoring = """
        -- Create monitoring database
        CREATE DATABASE monitoring;
        USE monitoring;

        -- Create monitoring user
        CREATE USER 'worker_monitor'@'%' IDENTIFIED BY 'your_secure_monitoring_password';
        GRANT SELECT, INSERT, UPDATE ON monitoring.* TO 'worker_monitor'@'%';
        FLUSH PRIVILEGES;

        -- Create monitoring table
        CREATE TABLE worker_heartbeats (
            id INT AUTO_INCREMENT PRIMARY KEY,
            timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            worker_id VARCHAR(50),
            service_name VARCHAR(50),
            node_hostname VARCHAR(50),
            status ENUM('alive', 'starting', 'stopping', 'error'),
            jobs_completed INT,
            jobs_per_minute FLOAT,
            last_job_time TIMESTAMP,
            queue_depth INT,
            error_message TEXT,
            INDEX idx_worker_time (worker_id, timestamp),
            INDEX idx_service_time (service_name, timestamp)
        );
        """

    static let queueUser = [
        "sudo rabbitmqctl add_user animal_farm your_secure_queue_password",
        #"sudo rabbitmqctl set_permissions -p / animal_farm ".*" ".*" ".*""#,
    ]

    // MARK: Step 2: configuration

    static let environment = """
        # Infrastructure only (no service-specific config needed)
        QUEUE_HOST=192.168.0.122
        DB_HOST=192.168.0.121
        DB_NAME=animal_farm
        DB_USER=animal_farm_user
        DB_PASSWORD=your_secure_db_password
        QUEUE_USER=animal_farm
        QUEUE_PASSWORD=your_secure_queue_password

        # Worker configuration (optional)
        WORKER_ID=worker_unique_name
        LOG_LEVEL=INFO

        # Optional monitoring (disabled by default)
        # If ENABLE_MONITORING=true, ALL monitoring variables are REQUIRED
        ENABLE_MONITORING=true
        MONITORING_DB_HOST=192.168.0.101
        MONITORING_DB_NAME=monitoring
        MONITORING_DB_USER=worker_monitor
        MONITORING_DB_PASSWORD=your_secure_monitoring_password
        """

    static let boxes = ["k1", "k2", "k3", "k4", "workstation"]

    // MARK: Step 4: operation

    static let produce = "python generic_producer.py --services all --group coco2017"

    static let queues = "sudo rabbitmqctl list_queues name messages"

    static let results = """
        psql -h 192.168.0.121 -U animal_farm_user -d animal_farm -c "
        SELECT service, COUNT(*) as total, 
               COUNT(*) FILTER (WHERE status = 'success') as success_count,
               COUNT(*) FILTER (WHERE status = 'error') as error_count
        FROM results GROUP BY service ORDER BY service;
        "
        """

    static let postProcessing = """
        psql -h 192.168.0.121 -U animal_farm_user -d animal_farm -c "
        SELECT COUNT(*) as total_merged_boxes FROM merged_boxes;
        SELECT COUNT(*) as total_consensus FROM consensus;  
        SELECT COUNT(*) as total_spatial_enrichments FROM postprocessing;
        "
        """

    static let monitor =
        "python monitor_workers.py --dead-threshold 10 --performance-window 30 --errors-window 120"

    static let deadWorkers = """
        SELECT worker_id, service_name, node_hostname, 
               MAX(timestamp) as last_seen,
               TIMESTAMPDIFF(MINUTE, MAX(timestamp), NOW()) as minutes_silent
        FROM worker_heartbeats 
        GROUP BY worker_id 
        HAVING minutes_silent > 5;
        """

    static let performance = """
        SELECT service_name, 
               AVG(jobs_per_minute) as avg_rate,
               COUNT(DISTINCT worker_id) as active_workers
        FROM worker_heartbeats 
        WHERE timestamp > DATE_SUB(NOW(), INTERVAL 10 MINUTE)
        GROUP BY service_name;
        """
}
