import Testing

@testable import Settings

/// The examples of the older system's guide, word for word: its operators keep their files.
@Suite("The older guide's files")
struct GuideTests {
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

    static let configuration = """
        {
          "services": {
            "colors": {
              "host": "localhost",
              "port": 7770,
              "endpoint": "/analyze",
              "category": "primary",
              "description": "Color analysis"
            },
            "face": {
              "host": "localhost", 
              "port": 7772,
              "endpoint": "/analyze",
              "category": "spatial_only",
              "description": "Face detection"
            }
          }
        }
        """

    @Test("the .env and the service_config.json load without a warning")
    func workstation() throws {
        let settings = try Machine([".env": Self.environment, "service_config.json": Self.configuration]).load()
        #expect(settings.warnings == [])
        #expect(settings.queue?.hosts == ["192.168.0.122"])
        #expect(settings.queue?.password.reveal() == "your_secure_queue_password")
        #expect(settings.database?.host == "192.168.0.121")
        #expect(settings.database?.password.reveal() == "your_secure_db_password")
        #expect(settings.monitoringEnabled)
        #expect(settings.monitoring?.password.reveal() == "your_secure_monitoring_password")
        #expect(settings.workerID == .prefix("worker_unique_name"))
        #expect(settings.services.services.map(\.name) == ["colors", "face"])
        #expect(settings.services.services.map(\.description) == ["Color analysis", "Face detection"])
    }

    static let boxes: [(String, [String], [String])] = [
        (
            """
            {
              "services": {
                "consensus": {"host": "localhost", "port": 0, "category": "post_processing"}
              }
            }
            """, [], ["consensus"]
        ),
        (
            """
            {
              "services": {
                "spatial_enrichment": {"host": "localhost", "port": 0, "category": "post_processing"}
              }
            }
            """, [], ["spatial_enrichment"]
        ),
        (
            """
            {
              "services": {
                "blip": {"host": "localhost", "port": 7777, "category": "primary"},
                "clip": {"host": "localhost", "port": 7778, "category": "primary"},
                "yolov8": {"host": "localhost", "port": 7773, "category": "primary"}
              }
            }
            """, ["blip", "clip", "yolov8"], []
        ),
        (
            """
            {
              "services": {
                "colors": {"host": "localhost", "port": 7770, "category": "primary"},
                "face": {"host": "localhost", "port": 7772, "category": "spatial_only"},
                "pose": {"host": "localhost", "port": 7786, "category": "spatial_only"},
                "metadata": {"host": "localhost", "port": 7781, "category": "primary"}
              }
            }
            """, ["colors", "face", "pose", "metadata"], []
        ),
    ]

    @Test("the files of the boxes load without a warning", arguments: boxes)
    func machine(_ text: String, _ services: [String], _ roles: [String]) throws {
        let settings = try Machine([".env": Self.environment, "service_config.json": text]).load()
        #expect(settings.warnings == [])
        #expect(settings.services.services.map(\.name) == services)
        #expect(settings.services.postProcessing.map(\.rawValue) == roles)
    }
}
