import Foundation
import Model
import Testing

@testable import Settings

/// The faults of one service entry, without the place in front of them.
private func faults(_ entry: String, name: String = "blip") throws -> [String] {
    try machine(#"{"services": {"\#(name)": \#(entry)}}"#).faults().map {
        $0.replacing("service_config.json: services.\(name)", with: "")
    }
}

@Suite("service_config.json: services")
struct ServiceConfigurationTests {
    @Test("without a file the catalogue on localhost and all roles are the configuration")
    func noFile() throws {
        let services = try Machine().load().services
        #expect(services.path == nil)
        #expect(services.services.count == 13)
        #expect(services.services.allSatisfy { $0.host == "localhost" && $0.work })
        #expect(services.postProcessing == [.merger, .enricher, .consensus])
        let pose = try #require(services.service(named: "pose"))
        #expect(pose.port == 7786)
        #expect(pose.category == .spatialOnly)
        #expect(pose.evidence == .specialized)
        #expect(pose.queue == "queue_pose")
        #expect(pose.endpoint == "/analyze")
        #expect(pose.health == "/health")
        #expect(pose.transport == .auto)
        #expect(pose.concurrency == 4)
        #expect(pose.authority == "localhost:7786")
        #expect(services.service(named: "nobody") == nil)
    }

    @Test("the default paths are tried in turn, a named one must be there")
    func paths() throws {
        let blip = #"{"services": {"blip": {}}}"#
        let clip = #"{"services": {"clip": {}}}"#
        let machine = try Machine(["config/service_config.json": clip, "machine.json": blip])
        #expect(try machine.load().services.path == "config/service_config.json")
        #expect(try machine.load(["SERVICE_CONFIG": "machine.json"]).services.services.map(\.name) == ["blip"])
        #expect(machine.faults(["SERVICE_CONFIG": "nowhere.json"]) == ["SERVICE_CONFIG: nowhere.json: does not exist"])
        try machine.write(blip, to: "service_config.json")
        #expect(try machine.load().services.path == "service_config.json")
        #expect(
            machine.faults(["SERVICE_CONFIG": "config"]) == ["SERVICE_CONFIG: config: cannot be read: Is a directory"])
    }

    @Test("every key is read")
    func everyKey() throws {
        let text = """
            {"services": {"seal": {"host": "::1", "port": 8000, "endpoint": "/v2/seal", "category": "spatial_only",
              "description": "seals\\n\\u001b[31m", "evidence": "semantic", "queue_prefix": "test_", "timeout": 1.5,
              "max_retries": 5, "retry_delay": 0, "concurrency": 9, "work": false, "transport": "url",
              "accepts": ["image/HEIC", "image/tiff"], "health": "/ready"}}}
            """
        let settings = try machine(text).load()
        #expect(settings.warnings == [])
        let seal = try #require(settings.services.services.first)
        #expect(seal.name == "seal")
        #expect(seal.host == "::1")
        #expect(seal.port == 8000)
        #expect(seal.authority == "[::1]:8000")
        #expect(seal.endpoint == "/v2/seal")
        #expect(seal.category == .spatialOnly)
        #expect(seal.description == "seals  [31m")
        #expect(seal.evidence == .semantic)
        #expect(seal.queue == "test_seal")
        #expect(seal.timeout == .milliseconds(1500))
        #expect(seal.maxRetries == 5)
        #expect(seal.retryDelay == .zero)
        #expect(seal.concurrency == 9)
        #expect(!seal.work)
        #expect(seal.transport == .url)
        #expect(seal.accepts == [.jpeg, .tiff, .heif])
        #expect(seal.health == "/ready")
    }

    @Test("what a service accepts is JPEG, PNG, WebP and GIF unless it says otherwise, and JPEG always")
    func accepts() throws {
        func accepts(_ entry: String) throws -> (formats: [PictureFormat]?, warnings: [String]) {
            let settings = try machine(#"{"services": {"clip": \#(entry)}}"#).load()
            return (settings.services.services.first?.accepts, settings.warnings)
        }
        #expect(try accepts("{}").formats == [.jpeg, .png, .webp, .gif])
        #expect(try accepts(#"{"accepts": []}"#).formats == [.jpeg])
        let metadata = try machine(#"{"services": {"metadata": {}}}"#).load().services.services.first
        #expect(metadata?.accepts == PictureFormat.allCases, "as the catalogue has it")
        #expect(try accepts(#"{"accepts": ["image/heif", "image/avif"]}"#).formats == [.jpeg, .heif, .avif])
        #expect(try accepts(#"{"accepts": ["image/*"]}"#).formats == PictureFormat.allCases)
        let odd = try accepts(#"{"accepts": ["image/png", "image/jxl"]}"#)
        #expect(odd.formats == [.jpeg, .png])
        #expect(odd.warnings.count == 1)
        #expect(odd.warnings.first?.contains(#"services.clip.accepts: farm posts no "image/jxl""#) == true)
    }

    @Test("a name that differs by case alone from the catalogue's, or from another service's, is warned about")
    func caseOfNames() throws {
        let text =
            #"{"services": {"YOLOv8": {"port": 1}, "clip": {"port": 2}, "CLIP": {"port": 3}, "seal": {"port": 4}, "Seal": {"port": 5}}}"#
        let another = "by case alone: it is another service, with a queue and results of its own"
        #expect(
            try machine(text).load().warnings == [
                "service_config.json: services.YOLOv8: differs from the catalogue's yolov8 \(another)",
                "service_config.json: services.CLIP: differs from the catalogue's clip \(another)",
                "service_config.json: services.Seal: differs from seal by case alone",
            ])
    }

    @Test("what an entry leaves out, or sets to null, comes from the catalogue, else from the specification")
    func defaults() throws {
        let settings = try machine(#"{"services": {"seal": {"port": 1, "host": null}, "face": {"category": null}}}"#)
            .load()
        let seal = try #require(settings.services.service(named: "seal"))
        #expect(seal.host == "localhost")
        #expect(seal.category == .primary)
        #expect(seal.evidence == .none)
        let face = try #require(settings.services.service(named: "face"))
        #expect(face.port == 7772)
        #expect(face.category == .spatialOnly)
        #expect(face.evidence == .specialized)
        #expect(face.description == "faces")
    }

    @Test("services and roles keep the file's order; a role of another machine is not run here")
    func order() throws {
        let settings = try machine(
            """
            {"services": {"yolov8": {}, "consensus": {"port": 0, "category": "post_processing"}, "blip": {},
              "bbox_merger": {"category": "post_processing", "work": false}, "spatial_enrichment": {}}}
            """
        ).load()
        #expect(settings.services.services.map(\.name) == ["yolov8", "blip"])
        #expect(settings.services.postProcessing == [.consensus, .enricher])
    }

    static let badEntries: [(String, String)] = [
        (#"{"port": 70000}"#, ".port: must be 0…65535, is 70000"),
        (#"{"port": -1}"#, ".port: must be 0…65535, is -1"),
        (#"{"port": 1e300}"#, ".port: must be 0…65535, is 1e+300"),
        (#"{"port": 18446744073709551615}"#, ".port: must be 0…65535, is 1.8446744073709552e+19"),
        (#"{"port": 7.5}"#, ".port: must be 0…65535, is 7.5"),
        (#"{"port": "7777"}"#, ".port: must be 0…65535, is a string"),
        (#"{"port": true}"#, ".port: must be 0…65535, is a boolean"),
        (#"{"port": 0}"#, ".port: must be 1…65535; 0 is only for post_processing"),
        (#"{"host": "http://k3"}"#, ".host: must be a host name or an IP address, without a scheme, user or port"),
        (#"{"host": ""}"#, ".host: must be a host name or an IP address, without a scheme, user or port"),
        (#"{"host": 7}"#, ".host: must be a string, is a number"),
        (#"{"endpoint": "analyze"}"#, ".endpoint: must be a path that begins with / and has no blank, ? or #"),
        (#"{"endpoint": "/a b"}"#, ".endpoint: must be a path that begins with / and has no blank, ? or #"),
        (#"{"health": "/a?b"}"#, ".health: must be a path that begins with / and has no blank, ? or #"),
        (#"{"category": "primry"}"#, #".category: must be primary, spatial_only or post_processing, is "primry""#),
        (
            #"{"category": "post_processing", "port": 0}"#,
            ": post_processing is only for the roles bbox_merger, spatial_enrichment and consensus"
        ),
        (#"{"evidence": ["spatial"]}"#, ".evidence: must be a string, is an array"),
        (
            #"{"evidence": "vision"}"#,
            #".evidence: must be spatial, semantic, classification, specialized or none, is "vision""#
        ),
        (#"{"transport": "ftp"}"#, #".transport: must be auto, url or file, is "ftp""#),
        (
            #"{"accepts": "image/heic"}"#,
            #".accepts: must be an array of media types, such as ["image/heic"], is a string"#
        ),
        (#"{"accepts": [7]}"#, #".accepts: must hold media types, such as "image/heic", holds a number"#),
        (#"{"description": {}}"#, ".description: must be a string, is an object"),
        (#"{"queue_prefix": "a b"}"#, ".queue_prefix: must be at most 50 letters, digits, _, - or ."),
        (#"{"queue_prefix": "amq."}"#, ".queue_prefix: amq. is reserved by the broker"),
        (#"{"timeout": 0}"#, ".timeout: must be a number of seconds, 0.001…280, is 0"),
        (#"{"timeout": "30"}"#, ".timeout: must be a number of seconds, 0.001…280, is a string"),
        (#"{"max_retries": 0}"#, ".max_retries: must be 1…100, is 0"),
        (#"{"retry_delay": -0.5}"#, ".retry_delay: must be a number of seconds, 0…60, is -0.5"),
        (#"{"concurrency": 0}"#, ".concurrency: must be 1…1024, is 0"),
        (#"{"work": 1}"#, ".work: must be true or false, is a number"),
        ("[]", ": must be an object, is an array"),
        ("null", ": must be an object, is null"),
    ]

    @Test("a wrong type or value is a fault that names its place", arguments: badEntries)
    func badEntry(_ entry: String, _ fault: String) throws {
        #expect(try faults(entry) == [fault])
    }

    @Test("a port is missing where the catalogue has none")
    func missingPort() throws {
        #expect(try faults("{}", name: "seal") == [".port: is missing"])
    }

    @Test("a name must be fit for a queue, a column and the command line")
    func names() throws {
        let charset = ": a service's name must be 1…50 letters, digits, _, - or ."
        for name in ["", "bl ip", "blip/2", "ß", String(repeating: "x", count: 51)] {
            #expect(try faults(#"{"port": 1}"#, name: name) == [charset])
        }
        #expect(try faults(#"{"port": 1}"#, name: String(repeating: "x", count: 50)) == [])
        #expect(try faults(#"{"port": 1}"#, name: "a.b-c_D9") == [])
        #expect(try faults(#"{"port": 1}"#, name: "blip.dead").count == 1)
        #expect(try faults(#"{"port": 1}"#, name: "primary").count == 1)
    }

    @Test("a role's name is only for a role")
    func roleNames() throws {
        let isRole = ": is a role, so its category must be post_processing"
        #expect(try faults(#"{"port": 1, "category": "primary"}"#, name: "consensus") == [isRole])
        #expect(try faults("{}", name: "consensus") == [])
        #expect(try faults(#"{"port": 7000, "host": "k1.local"}"#, name: "consensus") == [])
    }

    @Test("queues of one name are refused")
    func queues() throws {
        #expect(
            try faults(#"{"port": 1}"#, name: "bbox_merge") == [
                ": its queue queue_bbox_merge is that of bbox_merger too"
            ])
        let twins = #"{"services": {"a_b": {"port": 1, "queue_prefix": ""}, "b": {"port": 2, "queue_prefix": "a_"}}}"#
        #expect(
            try machine(twins).faults().first == "service_config.json: services.b: its queue a_b is that of a_b too")
    }

    @Test("a service given twice is a fault, an address given twice a warning")
    func twice() throws {
        #expect(
            try machine(#"{"services": {"blip": {}, "blip": {"port": 1}}}"#).faults()
                == ["service_config.json: services.blip: is given twice"])
        let shared = #"{"services": {"blip": {"host": "K3"}, "clip": {"host": "k3", "port": 7777}}}"#
        #expect(
            try machine(shared).load().warnings
                == ["service_config.json: services.clip: k3:7777 is the address of blip too"])
        let endpoints = #"{"services": {"blip": {}, "clip": {"port": 7777, "endpoint": "/clip"}}}"#
        #expect(try machine(endpoints).load().warnings == [])
    }

    @Test("unknown and repeated keys and enable_triggers are warned about, at their place")
    func unknownKeys() throws {
        let text = """
            {"version": 3, "services": {"blip": {"enable_triggers": true, "gpu": 1, "hots": "k3", "port": 1, "port": 2}},
              "voting": {"quorum": 1}, "merging": {"iou": 0.5}}
            """
        let settings = try machine(text).load()
        #expect(settings.services.service(named: "blip")?.port == 2)
        #expect(
            settings.warnings == [
                "service_config.json: unknown and ignored: version",
                "service_config.json: services.blip.enable_triggers: "
                    + "ignored: farm always triggers the post-processing that follows",
                "service_config.json: services.blip: given twice, the last one counts: port",
                "service_config.json: services.blip: unknown and ignored: gpu, hots",
                "service_config.json: merging: unknown and ignored: iou",
                "service_config.json: voting: unknown and ignored: quorum",
            ])
    }

    @Test("what is no object of services is a fault")
    func badRoot() throws {
        #expect(try machine("[]").faults() == ["service_config.json: must be an object, is an array"])
        #expect(try machine("{}").faults() == ["service_config.json: services: is missing"])
        #expect(
            try machine(#"{"services": []}"#).faults() == [
                "service_config.json: services: must be an object, is an array"
            ])
        #expect(try machine(#"{"services": {}}"#).load().services.services == [])
    }

    static let badLines: [(String, Int)] = [
        ("{\"services\": {\n  \"blip\": {},\n}}", 3), ("{\n\"a\": 1\n\"b\": 2}", 3), ("{\n\n'a': 1}", 3),
        ("{\n\"a\" 1}", 2), ("{\n// words\n}", 2), ("{\"a\": 1}\n}", 2), ("{\n\"a\": \"x\ny\"}", 2),
        ("{\"a\":\n[1,2,]}", 2), ("{\n\"a\": NaN}", 2), ("[\n01]", 2), ("[\n1.]", 2), ("{\n", 2), ("", 1), ("nul", 1),
    ]

    @Test("what is not JSON is a fault with its line", arguments: badLines)
    func notJSON(_ text: String, _ line: Int) throws {
        let faults = try machine(text).faults()
        #expect(faults.count == 1)
        let fault = try #require(faults.first)
        #expect(fault.hasPrefix("service_config.json: is not JSON, line \(line): "), "\(fault)")
    }

    @Test("what is nested too deep is a fault")
    func tooDeep() throws {
        for text in [String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000)] {
            #expect(try machine(text).faults().count == 1)
        }
    }

    @Test("a byte order mark is skipped, what is not UTF-8 or over 1 MiB is refused")
    func encoding() throws {
        #expect(try machine("\u{FEFF}{\"services\": {}}").faults() == [])
        let machine = try Machine()
        try machine.write(.init([0x7B, 0xFF, 0x7D]), to: "service_config.json")
        #expect(machine.faults() == ["service_config.json: is not UTF-8"])
        try machine.write(String(repeating: " ", count: 1 << 20) + "{}", to: "service_config.json")
        #expect(machine.faults() == ["service_config.json: is larger than 1024 KiB"])
    }

    @Test("a catalogue service that the machine does not name is on localhost, with the global time-outs")
    func catalogueService() throws {
        let machine = try machine(#"{"services": {"blip": {"host": "k3.local"}}}"#)
        let settings = try machine.load(["REQUEST_TIMEOUT": "7", "MAX_RETRIES": "2", "RETRY_DELAY": "1"])
        let colors = try #require(settings.catalogueService(named: "colors"))
        #expect(colors.authority == "localhost:7770")
        #expect(colors.timeout == .seconds(7))
        #expect(colors.maxRetries == 2)
        #expect(colors.retryDelay == .seconds(1))
        #expect(settings.catalogueService(named: "seal") == nil)
    }
}
