import Testing

@testable import Settings

@Suite("Queue, store and monitoring database")
struct BackendTests {
    @Test("QUEUE_HOST, QUEUE_USER and QUEUE_PASSWORD are required together", arguments: QueueSettings.group)
    func queueGroup(_ variable: Variable) throws {
        let name = variable.rawValue
        let faults = try faults(complete([name: ""]))
        #expect(faults.count == 1)
        #expect(faults.first?.hasPrefix("\(name): is missing") == true)
    }

    @Test("the four of DB_* are required together", arguments: DatabaseSettings.group)
    func databaseGroup(_ variable: Variable) throws {
        let name = variable.rawValue
        let faults = try faults(complete([name: ""]))
        #expect(faults.count == 1)
        #expect(faults.first?.hasPrefix("\(name): is missing") == true)
    }

    @Test("a queue server without a database server, or the reverse, is refused unless FARM_DB is set")
    func scatter() throws {
        let queue = complete.filter { $0.key.hasPrefix("QUEUE_") }
        let database = complete.filter { $0.key.hasPrefix("DB_") }
        #expect(try faults(queue).map { $0.prefix(19) } == ["DB_HOST: is missing"])
        #expect(try faults(database).map { $0.prefix(22) } == ["QUEUE_HOST: is missing"])
        let wanted = try settings(queue.merging(["FARM_DB": "/data/farm.db"]) { $1 })
        #expect(wanted.queue != nil)
        #expect(wanted.database == nil)
        #expect(wanted.embeddedPath == "/data/farm.db")
        #expect(wanted.embeddedPathIsExplicit)
        #expect(try settings(database.merging(["FARM_DB": "farm.db"]) { $1 }).queue == nil)
    }

    @Test("with FARM_DB the rest of a group without its host is ignored with a warning")
    func idleGroup() throws {
        let settings = try settings(complete(["FARM_DB": "farm.db", "QUEUE_HOST": "", "DB_HOST": ""]))
        #expect(settings.queue == nil)
        #expect(settings.database == nil)
        #expect(
            settings.warnings == [
                "QUEUE_USER and QUEUE_PASSWORD: ignored without QUEUE_HOST",
                "DB_NAME, DB_USER and DB_PASSWORD: ignored without DB_HOST",
            ])
    }

    @Test("ENABLE_MONITORING=true requires all four", arguments: MonitoringSettings.group)
    func monitoringGroup(_ variable: Variable) throws {
        let name = variable.rawValue
        let enabled = complete(["ENABLE_MONITORING": "true", name: ""])
        #expect(try faults(enabled) == ["\(name): is missing; ENABLE_MONITORING=true requires it"])
        let disabled = try settings(complete([name: ""]))
        #expect(disabled.monitoring == nil)
        #expect(disabled.warnings.count == 1)
        #expect(disabled.warnings.first?.hasSuffix("ignored without \(name)") == true)
        #expect(try faults(["ENABLE_MONITORING": "true"]).count == 4)
    }

    @Test("the monitoring database is known whenever it is set, enabled or not")
    func monitoringWithoutEnabling() throws {
        let settings = try settings(complete)
        #expect(settings.monitoring?.host == "192.168.0.101")
        #expect(settings.monitoring?.user == "worker_monitor")
        #expect(!settings.monitoringEnabled)
        #expect(settings.warnings == [])
    }

    @Test("QUEUE_HOST may list hosts, each counted once")
    func queueHosts() throws {
        let queue = try #require(
            try settings(complete(["QUEUE_HOST": "k2.local, k5.local,[::1] k2.local", "QUEUE_PARTITIONS": "yes"])).queue
        )
        #expect(queue.hosts == ["k2.local", "k5.local", "::1"])
        #expect(queue.partitions)
    }

    @Test(
        "a host with a scheme, a user or a port is refused without being quoted",
        arguments: ["amqp://u:hunter2@k2", "k2:5672", "u@k2", "k2,,k/3", ",", "[k2]", "a..b", "::1::g", "k 2/"])
    func badHosts(_ host: String) throws {
        for name in ["QUEUE_HOST", "DB_HOST", "MONITORING_DB_HOST"] {
            let faults = try faults(complete([name: host]))
            #expect(faults.count == 1)
            #expect(faults.first?.hasPrefix(name + ": ") == true)
            #expect(faults.first?.contains("hunter2") == false)
        }
    }

    @Test("host names, addresses and the folder of PostgreSQL's socket are taken")
    func goodHosts() throws {
        for host in [
            "k1.local", "k1", "k_1.example.org.", "192.168.0.121", "::1", "fe80::1%eth0", "/var/run/postgresql",
        ] {
            let settings = try settings(complete(["DB_HOST": host, "DB_READ_HOST": host]))
            #expect(settings.database?.host == host)
            #expect(settings.database?.readHost == host)
        }
        #expect(try settings(complete(["DB_HOST": "[::1]"])).database?.host == "::1")
    }

    @Test("TLS moves the port of the queue; a port of its own stays")
    func queuePort() throws {
        #expect(try settings(complete(["QUEUE_TLS": "true"])).queue?.port == 5671)
        #expect(try settings(complete(["QUEUE_TLS": "true", "QUEUE_PORT": "5555"])).queue?.port == 5555)
    }

    @Test("every optional variable of the servers is read")
    func optional() throws {
        let machine = try Machine(["ca.pem": "certificate"])
        let settings = try machine.load(
            complete([
                "QUEUE_VHOST": "farm", "QUEUE_TLS": "on", "QUEUE_CA_FILE": "ca.pem", "QUEUE_TYPE": "classic",
                "DB_PORT": "6432", "DB_SSLMODE": "Verify-Full", "DB_CA_FILE": "ca.pem", "DB_READ_HOST": "k9.local",
                "MONITORING_DB_PORT": "3307", "MONITORING_DB_TLS": "1", "MONITORING_DB_CA_FILE": "ca.pem",
            ]))
        #expect(
            settings.queue
                == QueueSettings(
                    hosts: ["192.168.0.122"], port: 5671, user: "animal_farm", password: Secret("q"),
                    virtualHost: "farm", tls: true, caFile: "ca.pem", type: .classic, partitions: false))
        #expect(
            settings.database
                == DatabaseSettings(
                    host: "192.168.0.121", port: 6432, name: "animal_farm", user: "animal_farm_user",
                    password: Secret("d"), sslMode: .verifyFull, caFile: "ca.pem", readHost: "k9.local"))
        #expect(
            settings.monitoring
                == MonitoringSettings(
                    host: "192.168.0.101", port: 3307, name: "monitoring", user: "worker_monitor",
                    password: Secret("m"), tls: true, caFile: "ca.pem"))
        #expect(settings.warnings == [])
    }

    @Test("words that are none of the choices are faults that list them")
    func choices() throws {
        #expect(try faults(["QUEUE_TYPE": "stream"]) == ["QUEUE_TYPE: must be classic or quorum"])
        #expect(
            try faults(["DB_SSLMODE": "true"])
                == ["DB_SSLMODE: must be disable, allow, prefer, require, verify-ca or verify-full"])
    }

    @Test("a file of certificates must be there")
    func certificates() throws {
        for name in ["QUEUE_CA_FILE", "DB_CA_FILE", "MONITORING_DB_CA_FILE"] {
            #expect(try faults([name: "nowhere.pem"]) == ["\(name): the file does not exist"])
            #expect(try faults([name: "/"]) == ["\(name): the file cannot be read: Is a directory"])
        }
    }

    @Test("settings that have no effect or bite others are warned about")
    func warnings() throws {
        let machine = try Machine(["ca.pem": "certificate"])
        let changes = [
            "QUEUE_TYPE": "quorum", "QUEUE_PARTITIONS": "true", "QUEUE_CA_FILE": "ca.pem", "DB_CA_FILE": "ca.pem",
            "MONITORING_DB_CA_FILE": "ca.pem",
        ]
        let names = try machine.load(complete(changes)).warnings.compactMap {
            $0.split(separator: ":").first.map(String.init)
        }
        #expect(Set(names) == Set(changes.keys))
        #expect(names.count == changes.count)
    }
}
