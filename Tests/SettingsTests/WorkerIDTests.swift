import Testing

@testable import Settings

@Suite("Worker ids")
struct WorkerIDTests {
    private func id(
        _ rule: WorkerIDRule, service: String = "blip", host: String = "k3.local", pid: Int32 = 42,
        several: Bool = false
    ) -> String {
        rule.id(role: "work", service: service, host: host, pid: pid, several: several)
    }

    @Test("the default is ROLE_SERVICE_HOST_PID")
    func automatic() {
        #expect(id(.automatic) == "work_blip_k3.local_42")
        #expect(id(.automatic, several: true) == "work_blip_k3.local_42")
    }

    @Test("what is set in the process environment is the id, with the service where there are several")
    func exact() throws {
        let rule = try settings(["WORKER_ID": "gpu-1"]).workerID
        #expect(rule == .exact("gpu-1"))
        #expect(id(rule) == "gpu-1")
        #expect(id(rule, several: true) == "gpu-1_blip")
    }

    @Test("what is set in .env is a prefix; the process environment wins")
    func prefix() throws {
        let machine = try Machine([".env": "WORKER_ID=worker_unique_name"])
        let rule = try machine.load().workerID
        #expect(rule == .prefix("worker_unique_name"))
        #expect(id(rule) == "worker_unique_name_blip_k3.local_42")
        #expect(try machine.load(["WORKER_ID": "gpu-1"]).workerID == .exact("gpu-1"))
        #expect(try machine.load(["WORKER_ID": ""]).workerID == .automatic)
    }

    @Test("a long id is cut in the host to 50 characters")
    func cutInHost() {
        let host = String(repeating: "h", count: 80)
        #expect(id(.automatic, host: host, pid: 12345) == "work_blip_" + String(repeating: "h", count: 34) + "_12345")
    }

    @Test("no id is longer than 50 characters, and service and process stay as long as there is room")
    func limits() {
        let long = String(repeating: "ü", count: 50)
        for rule in [WorkerIDRule.automatic, .exact(long), .prefix(long), .exact("🙂"), .prefix("")] {
            for service in ["blip", String(repeating: "s", count: 30), String(repeating: "s", count: 50)] {
                for several in [true, false] {
                    let made = id(rule, service: service, host: long, pid: .max, several: several)
                    #expect((1...50).contains(made.unicodeScalars.count))
                    if service.count <= 30 && rule != .exact(long) && rule != .exact("🙂") {
                        #expect(made.contains("_\(service)_"))
                        #expect(made.hasSuffix("_2147483647"))
                    }
                }
            }
        }
    }

    @Test("an id of over 50 characters is refused")
    func tooLong() throws {
        let fifty = String(repeating: "w", count: 50)
        #expect(try settings(["WORKER_ID": fifty]).workerID == .exact(fifty))
        #expect(try faults(["WORKER_ID": fifty + "w"]) == ["WORKER_ID: must have at most 50 characters, has 51"])
    }
}
