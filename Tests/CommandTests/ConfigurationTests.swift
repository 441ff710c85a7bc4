import Foundation
import Testing

@Suite("Configuration")
struct ConfigurationTests {
    @Test("all faults come in one message, exit 2, and no secret is printed")
    func allFaults() async throws {
        let workplace = try Workplace()
        try workplace.write(
            ".env",
            """
            QUEUE_HOST=broker
            QUEUE_PASSWORD="marker-a7f3"
            DB_HOST=db
            DB_NAME=farm
            DB_USER=farm
            DB_PASSWORD='marker-b8e4'
            ENABLE_MONITORING=true
            MONITORING_DB_PASSWORD=marker-c9d5
            MAX_RETRIES=marker
            HEARTBEAT_INTERVAL=-1
            LOG_FORMAT=baroque
            """)
        try workplace.write(
            "service_config.json", #"{"services": {"clip": {"port": 99999}}, "voting": {"min_votes": 0}}"#)
        let finished = try await workplace.farm("status")
        #expect(finished.status == 2)
        #expect(finished.output.isEmpty)
        let names = [
            "QUEUE_USER", "MONITORING_DB_HOST", "MONITORING_DB_NAME", "MONITORING_DB_USER", "MAX_RETRIES",
            "HEARTBEAT_INTERVAL", "LOG_FORMAT", "services.clip.port", "voting.min_votes",
        ]
        for name in names { #expect(finished.error.contains(name), "\(name)") }
        for secret in ["marker-a7f3", "marker-b8e4", "marker-c9d5"] { #expect(!finished.error.contains(secret)) }
        #expect(!FileManager.default.fileExists(atPath: workplace.path("farm.db")), "nothing is opened")
    }

    @Test("a broken line of .env is named by its number, without what stands in it")
    func brokenLine() async throws {
        let workplace = try Workplace()
        try workplace.write(".env", "# settings\nDB_PASSWORD=\"marker-a7f3\nMAX_RETRIES=2\n")
        let finished = try await workplace.farm("status")
        #expect(finished.status == 2)
        #expect(finished.error.contains(".env: line 2"))
        #expect(!finished.error.contains("marker"))
    }

    @Test(".env is read and the environment wins over it")
    func precedence() async throws {
        let workplace = try Workplace()
        try workplace.write(".env", "# the file\nexport FARM_DB=\"of the file.db\"   # here\n")
        #expect(try await workplace.farm("status").status == 0)
        #expect(FileManager.default.fileExists(atPath: workplace.path("of the file.db")))
        #expect(try await workplace.farm("status", environment: ["FARM_DB": "of-the-environment.db"]).status == 0)
        #expect(FileManager.default.fileExists(atPath: workplace.path("of-the-environment.db")))
        #expect(!FileManager.default.fileExists(atPath: workplace.path("farm.db")))
    }

    @Test("--env-file takes the place of .env; one that does not exist is exit 2")
    func otherFile() async throws {
        let workplace = try Workplace()
        try workplace.write(".env", "FARM_DB=of-env.db\n")
        try workplace.write("other.env", "FARM_DB=of-other.db\n")
        #expect(try await workplace.farm("status", "--env-file", "other.env").status == 0)
        #expect(FileManager.default.fileExists(atPath: workplace.path("of-other.db")))
        #expect(!FileManager.default.fileExists(atPath: workplace.path("of-env.db")))
        let missing = try await workplace.farm("status", "--env-file", "nowhere.env")
        #expect(missing.status == 2)
        #expect(missing.error.contains("nowhere.env"))
    }

    @Test("QUEUE_HOST without DB_HOST would scatter the data")
    func scattered() async throws {
        let finished = try await Workplace().farm(
            "status", environment: ["QUEUE_HOST": "q", "QUEUE_USER": "u", "QUEUE_PASSWORD": "marker"])
        #expect(finished.status == 2)
        #expect(finished.error.contains("DB_HOST"))
        #expect(!finished.error.contains("marker"))
    }

    @Test("SERVICE_CONFIG names the services' file; without it service_config.json, then config/")
    func serviceConfiguration() async throws {
        let workplace = try Workplace()
        func services(_ environment: [String: String] = [:]) async throws -> String {
            let list = try await workplace.farm("produce", "--list-services", environment: environment)
            #expect(list.status == 0, "\(list.error)")
            return list.output
        }
        #expect(try await services().contains("inception_v3"), "the catalogue")
        try workplace.write(
            "config/service_config.json",
            #"{"services": {"in_config": {"host": "a", "port": 1, "category": "primary"}}}"#)
        #expect(try await services().contains("in_config"))
        try workplace.write(
            "service_config.json", #"{"services": {"here": {"host": "a", "port": 1, "category": "primary"}}}"#)
        #expect(try await services().contains("here"))
        try workplace.write(
            "other.json",
            #"{"services": {"other": {"host": "a", "port": 4711, "category": "primary", "description": "what it does"}}}"#
        )
        let named = try await services(["SERVICE_CONFIG": "other.json"])
        #expect(named.contains("other"))
        #expect(named.contains("4711"))
        #expect(named.contains("what it does"))
        #expect(!named.contains("here"))
        let missing = try await workplace.farm("status", environment: ["SERVICE_CONFIG": "nowhere.json"])
        #expect(missing.status == 2)
        #expect(missing.error.contains("nowhere.json"))
    }

    @Test("without service_config.json the banner says that the catalogue is used")
    func catalogueBanner() async throws {
        let workplace = try Workplace()
        let worker = try workplace.start(["work", "blip"])
        try await workplace.started(worker, "blip")
        worker.signal(SIGTERM)
        let finished = try await worker.finished()
        #expect(finished.status == 0)
        #expect(finished.error.contains("catalogue"))
        #expect(finished.error.contains("no service_config.json"))
    }

    @Test("work of a catalogue service that this machine does not name warns where it is taken")
    func unnamedService() async throws {
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)])
        let worker = try workplace.start(["work", "blip"])
        try await workplace.started(worker, "blip")
        worker.signal(SIGTERM)
        let finished = try await worker.finished()
        #expect(finished.status == 0)
        #expect(finished.error.contains("WARNING"))
        #expect(finished.error.contains("blip is not in service_config.json: taken at localhost:7777"))
        #expect(!finished.error.contains("no service_config.json"))
    }

    @Test("an unknown key of service_config.json and an older variable are warnings")
    func warnings() async throws {
        let workplace = try Workplace()
        try workplace.write(
            "service_config.json",
            #"{"services": {"clip": {"host": "a", "port": 1, "category": "primary", "colour": "red"}}, "enable_triggers": true}"#
        )
        let finished = try await workplace.farm(
            "status", environment: ["QUEUE_NAME": "queue_blip", "LOG_FORMAT": "detailed"])
        #expect(finished.status == 0, "\(finished.error)")
        #expect(finished.error.contains("colour"))
        #expect(finished.error.contains("QUEUE_NAME"))
    }

    @Test("LOG_FORMAT=json makes every log line a JSON object, LOG_FILE keeps them too, LOG_LEVEL chooses")
    func log() async throws {
        let workplace = try Workplace()
        let worker = try workplace.start(
            ["work", "blip"], environment: ["LOG_FORMAT": "json", "LOG_FILE": "farm.log", "LOG_LEVEL": "INFO"])
        try await workplace.started(worker, "blip")
        worker.signal(SIGTERM)
        let finished = try await worker.finished()
        #expect(finished.status == 0)
        #expect(!finished.error.isEmpty)
        for line in finished.error.split(separator: "\n") {
            #expect(throws: Never.self) { try Finished(status: 0, output: String(line), error: "").json() }
        }
        #expect(try String(contentsOfFile: workplace.path("farm.log"), encoding: .utf8) == finished.error)
        let quiet = try await workplace.farm("status", environment: ["LOG_LEVEL": "ERROR", "QUEUE_NAME": "x"])
        #expect(quiet.status == 0)
        #expect(quiet.error.isEmpty)
    }
}
