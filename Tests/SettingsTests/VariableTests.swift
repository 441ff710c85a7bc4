import Testing

@testable import Settings

@Suite("Single variables")
struct VariableTests {
    @Test("without any variable the defaults of the specification hold")
    func defaults() throws {
        let settings = try settings([:])
        #expect(settings.queue == nil)
        #expect(settings.database == nil)
        #expect(settings.monitoring == nil)
        #expect(!settings.monitoringEnabled)
        #expect(settings.embeddedPath == "farm.db")
        #expect(!settings.embeddedPathIsExplicit)
        #expect(settings.workerID == .automatic)
        #expect(settings.serviceName == nil)
        #expect(settings.log == LogSettings(level: .info, format: .text, file: nil))
        #expect(settings.prefetch == nil)
        #expect(settings.requestTimeout == .seconds(30))
        #expect(settings.maxRetries == 3)
        #expect(settings.retryDelay == .seconds(5))
        #expect(settings.processingDelay == .zero)
        #expect(settings.heartbeatInterval == .seconds(60))
        #expect(settings.shutdownTimeout == .seconds(10))
        #expect(settings.defaultConfidence == 0.75)
        #expect(settings.warnings == [])
        let servers = try Machine().load(complete)
        #expect(servers.queue?.port == 5672)
        #expect(servers.queue?.virtualHost == "/")
        #expect(servers.queue?.type == .classic)
        #expect(servers.queue?.tls == false)
        #expect(servers.queue?.partitions == false)
        #expect(servers.database?.port == 5432)
        #expect(servers.database?.sslMode == .prefer)
        #expect(servers.monitoring?.port == 3306)
        #expect(servers.monitoring?.tls == false)
    }

    @Test("seconds may be decimal, with blanks around them")
    func seconds() throws {
        let settings = try settings([
            "REQUEST_TIMEOUT": " 2.5 ", "RETRY_DELAY": "0.1", "PROCESSING_DELAY": "1e-1", "HEARTBEAT_INTERVAL": "0.5",
            "SHUTDOWN_TIMEOUT": "0", "DEFAULT_CONFIDENCE": "1", "WORKER_PREFETCH_COUNT": "16",
        ])
        #expect(settings.requestTimeout == .milliseconds(2500))
        #expect(settings.retryDelay == .milliseconds(100))
        #expect(settings.processingDelay == .milliseconds(100))
        #expect(settings.heartbeatInterval == .milliseconds(500))
        #expect(settings.shutdownTimeout == .zero)
        #expect(settings.defaultConfidence == 1)
        #expect(settings.prefetch == 16)
    }

    static let badNumbers: [(String, String, String)] = [
        ("REQUEST_TIMEOUT", "0", "must be a number of seconds, 0.001…280, is 0"),
        ("REQUEST_TIMEOUT", "1e308", "must be a number of seconds, 0.001…280, is 1e+308"),
        ("REQUEST_TIMEOUT", "1e999", "must be a number of seconds, 0.001…280, is inf"),
        ("REQUEST_TIMEOUT", "nan", "must be a number of seconds, 0.001…280"),
        ("REQUEST_TIMEOUT", "0x10", "must be a number of seconds, 0.001…280"),
        ("REQUEST_TIMEOUT", "30s", "must be a number of seconds, 0.001…280"),
        ("REQUEST_TIMEOUT", "2,5", "must be a number of seconds, 0.001…280"),
        ("MAX_RETRIES", "0", "must be a whole number, 1…100, is 0"),
        ("MAX_RETRIES", "2.5", "must be a whole number, 1…100"),
        ("MAX_RETRIES", "99999999999999999999", "must be a whole number, 1…100"),
        ("RETRY_DELAY", "-1", "must be a number of seconds, 0…60, is -1"),
        ("PROCESSING_DELAY", "61", "must be a number of seconds, 0…60, is 61"),
        ("HEARTBEAT_INTERVAL", "0", "must be a number of seconds, 0.1…3600, is 0"),
        ("SHUTDOWN_TIMEOUT", "281", "must be a number of seconds, 0…280, is 281"),
        ("DEFAULT_CONFIDENCE", "1.01", "must be a number, 0…1, is 1.01"),
        ("WORKER_PREFETCH_COUNT", "0", "must be a whole number, 1…65535, is 0"),
        ("QUEUE_PORT", "70000", "must be a whole number, 1…65535, is 70000"),
        ("QUEUE_PORT", "amqp", "must be a whole number, 1…65535"),
        ("DB_PORT", "0", "must be a whole number, 1…65535, is 0"),
        ("MONITORING_DB_PORT", "-3306", "must be a whole number, 1…65535, is -3306"),
    ]

    @Test("a number out of range or malformed is a fault with the name and the range", arguments: badNumbers)
    func badNumber(_ name: String, _ value: String, _ what: String) throws {
        #expect(try faults([name: value]) == ["\(name): \(what)"])
        #expect(try faults(complete([name: value])) == ["\(name): \(what)"])
    }

    @Test("true, 1, yes and on, false, 0, no and off are taken in any case, nothing else")
    func flags() throws {
        for word in ["true", "1", "YES", "On"] {
            #expect(try settings(complete(["QUEUE_TLS": word])).queue?.tls == true)
            #expect(try settings(complete(["ENABLE_MONITORING": word])).monitoringEnabled)
        }
        for word in ["False", "0", "no", "OFF", ""] {
            #expect(try settings(complete(["QUEUE_TLS": word])).queue?.tls == false)
            #expect(try !settings(complete(["ENABLE_MONITORING": word])).monitoringEnabled)
        }
        for name in ["QUEUE_TLS", "QUEUE_PARTITIONS", "ENABLE_MONITORING", "MONITORING_DB_TLS"] {
            #expect(try faults([name: "maybe"]) == ["\(name): must be true or false"])
        }
    }

    @Test("log levels are taken in any case, WARN too")
    func logLevels() throws {
        let words: [(String, LogSettings.Level)] = [
            ("debug", .debug), ("INFO", .info), ("Warning", .warning), ("WARN", .warning), ("error", .error),
            ("CRITICAL", .critical),
        ]
        for (word, level) in words { #expect(try settings(["LOG_LEVEL": word]).log.level == level) }
        #expect(
            try faults(["LOG_LEVEL": "loud"])
                == ["LOG_LEVEL: must be DEBUG, INFO, WARNING, WARN, ERROR or CRITICAL"])
    }

    @Test("the log format is text or json; detailed is text with a warning")
    func logFormats() throws {
        #expect(try settings(["LOG_FORMAT": "JSON"]).log.format == .json)
        let older = try settings(["LOG_FORMAT": "detailed", "LOG_FILE": "worker.log"])
        #expect(older.log == LogSettings(level: .info, format: .text, file: "worker.log"))
        #expect(older.warnings == ["LOG_FORMAT: detailed, of the older scripts, is taken as text"])
        #expect(try faults(["LOG_FORMAT": "xml"]) == ["LOG_FORMAT: must be text or json"])
    }

    @Test(
        "what only the older scripts read is accepted with a warning",
        arguments: [
            "QUEUE_NAME", "BBOX_QUEUE_NAME", "DOWNSTREAM_QUEUE", "SPATIAL_QUEUE_NAME", "CONSENSUS_QUEUE_NAME",
            "LOW_CONFIDENCE_THRESHOLD",
        ])
    func olderVariables(_ name: String) throws {
        for warnings in [try settings([name: "x"]).warnings, try Machine([".env": name + "=x"]).load().warnings] {
            let warning = try #require(warnings.first)
            #expect(warnings.count == 1)
            #expect(warning.hasPrefix(name + ": ignored: "))
        }
    }

    @Test("all faults of all files come in one message")
    func oneMessage() throws {
        let machine = try Machine([".env": "oops\u{1}\nLOG_LEVEL=loud\n", "service_config.json": #"{"services": 1}"#])
        do throws(SettingsFault) {
            _ = try machine.load(["MAX_RETRIES": "0", "QUEUE_HOST": "k2"])
            Issue.record("loaded")
        } catch {
            #expect(error.faults.count == 7)
            let lines = error.description.split(separator: "\n")
            #expect(lines.first == "the settings have 7 faults:")
            #expect(lines.count == 8)
            for part in [
                ".env: line 1", "LOG_LEVEL", "MAX_RETRIES", "QUEUE_USER", "QUEUE_PASSWORD", "DB_HOST",
                "service_config.json: services",
            ] {
                #expect(error.description.contains("\n  \(part): "))
            }
        }
    }

    @Test("a message of thousands of faults is cut, the list is not")
    func longMessage() {
        let fault = SettingsFault(faults: (1...1000).map { "line \($0): bad" })
        #expect(fault.description.split(separator: "\n").count == 52)
        #expect(fault.description.hasSuffix("… and 950 more"))
        #expect(SettingsFault(faults: ["A: bad"]).description == "A: bad")
    }

    @Test("control characters are refused")
    func controls() throws {
        #expect(try faults(["SERVICE_NAME": "bl\u{1B}ip"]) == ["SERVICE_NAME: must not hold control characters"])
    }
}
