import Doubles
import Foundation
import Model
import Testing

/// What pages are asked that none of their links and forms asks, and what they do not tell.
@Suite("Pages read strictly, and tell strangers little", .serialized)
struct StrictPageTests {
    private let work: Workplace
    private let server: APIServer

    init() async throws {
        work = try await Workplace.prepared(images: 2)
        try work.configure(["blip", "clip"].map { (service: $0, port: 9) })
        server = try await APIServer.start(work)
    }

    /// - Returns: the status and the page.
    private func ask(_ path: String, _ options: String = "") async throws -> (status: String, text: String) {
        let url = "'http://127.0.0.1:\(server.port)/\(path)'"
        let finished = try await work.bash("curl -s -w '\\n%{http_code}' -H 'Accept: text/html' \(options) \(url)")
        let lines = finished.output.split(separator: "\n", omittingEmptySubsequences: false)
        return (lines.last.map(String.init) ?? "", lines.dropLast().joined(separator: "\n"))
    }

    private func post(_ path: String, _ fields: String...) async throws -> (status: String, text: String) {
        try await ask(path, "-X POST " + fields.map { "--data-urlencode '\($0)'" }.joined(separator: " "))
    }

    private var control: [String] {
        get async throws {
            try await work.rows(
                """
                SELECT service, paused, coalesce(until IS NOT NULL, 0), coalesce(reason, ''), coalesce(rate_limit, ''), \
                coalesce(concurrency, ''), set_by FROM farm_control ORDER BY service
                """)
        }
    }

    @Test(
        "a form with a field that is mistyped, missing, doubled or too long, or that is of another type, changes nothing"
    )
    func forms() async throws {
        #expect(try await work.farm("limit", "blip", "20/s", "--concurrency", "2").status == 0)
        let before = try await control
        let long = String(repeating: "x", count: 60_000)
        for (path, fields, status, text) in [
            ("services/blip/limit", ["raet=5/s"], "400", "raet"),
            ("services/blip/limit", [], "422", "neither rate nor"),
            ("services/blip/limit", ["rate=5/s", "rate=6/s"], "400", "twice"),
            ("services/blip/limit?rate=5/s", ["rate=5/s"], "400", "there are none"),
            ("services/blip/limit", ["rate=5/s", "back=there"], "400", "back"),
            ("services/merge/limit", ["rate=5/s"], "404", "no such"),
            ("services/bbox_merger/limit", ["concurrency=5"], "422", "makes no calls of its own"),
            ("services/clip/pause", ["untill=5"], "400", "untill"),
            ("services/clip/pause", ["minutes=0x10"], "422", "minutes"),
            ("services/clip/pause", ["minutes=1e3"], "422", "minutes"),
            ("services/clip/pause", ["minutes=1.5"], "422", "minutes"),
            ("services/clip/pause", ["reason=\(long)"], "422", "more than 300 characters"),
            ("services/clip/resume", ["whoever=1"], "400", "whoever"),
            ("images/1/rerun", ["what=nonsense", "service=clip", "key=a"], "400", "nothing to run again"),
            ("images/1/rerun", ["what=all", "service=clip", "key=a"], "400", "nothing to run again"),
            ("images/1/rerun", ["service=full_catalog", "key=a"], "400", "nothing to run again"),
            ("images/1/rerun", ["service=blip,clip", "key=a"], "400", "nothing to run again"),
            ("images/1/rerun", ["what=all", "key=\(long)"], "400", "key"),
            ("dead/act", ["act=drop"], "400", "all=1"), ("dead/act", ["act=drop", "servcie=clip"], "400", "servcie"),
            ("dead/act", ["act=drop", "service="], "400", "without a name"),
            ("dead/act", ["act=drop", "service=clip", "all=1"], "400", "all=1"),
            ("dead/act", ["act=drop", "reason=\(long)"], "400", "more than 1000 characters"),
            ("acts/1/stop", ["x=1"], "400", "not known here"), ("logout", ["x=1"], "400", "not known here"),
            ("login", ["token=a", "token=b"], "400", "twice"),
        ] as [(String, [String], String, String)] {
            let options = fields.map { "--data-urlencode '\($0)'" }.joined(separator: " ")
            let answer = try await ask(path, "-X POST " + options)
            #expect(answer.status == status && answer.text.contains(text), "\(path) \(options.prefix(80)): \(answer)")
        }
        for options in ["-F rate=5/s", "-H 'Content-Type: application/json' -d '{\"rate\": \"5/s\"}'"] {
            let answer = try await ask("services/blip/limit", options)
            #expect(answer.status == "415" && answer.text.contains("x-www-form-urlencoded"), "\(options): \(answer)")
        }
        #expect(try await control == before)
        #expect(try await work.waiting().isEmpty)
        #expect(try await work.count("SELECT count(*) FROM farm_audit") == 1, "the limit alone")
        // What is not named stays, and none is what an empty field is.
        #expect(try await post("services/blip/limit", "rate=none").status == "303")
        #expect(try await control == ["blip|0|0|||2|web"])
    }

    @Test("an address with a field that is not known, doubled or of another value is refused")
    func addresses() async throws {
        for query in [
            "images?disagree=0", "images?errors=false", "images?undecided=", "images?nonsense=1",
            "images?votes=3&votes=4",
            "images?votes=%2B3", "images?confidence=0x1p-1", "images/1?at=zzz", "images/1?x=1",
            "images/1/photo?width=9",
            "images/1/thumbnail?x", "audit?before=x", "audit?before=1&x=2", "workers?part=x", "workers?x=1", "?x=1",
            "services/clip?x=1", "quality?x=1", "dead?x=1", "events?x=1", "login?x=1",
            "dead/act?act=drop", "dead/act?act=drop&servcie=clip", "dead/act?act=drop&reason=a&reason=b",
            "dead/act?act=drop&all=2", "dead/act?act=drop&all=1&service=clip",
        ] {
            let answer = try await ask(query)
            #expect(
                answer.status == "400" && answer.text.contains("<h1>The request cannot be read"), "\(query): \(answer)")
        }
        // As the form of the page sends it, with all that was not filled in.
        let empty = "text=&group=&label=&confidence=&emoji=&votes=&state=&failed=&order="
        #expect(try await ask("images?\(empty)").status == "200")
        #expect(try await ask("images?\(empty)&disagree=1&part=live").status == "200")
    }

    @Test("letters without a reason are a group of their own")
    func noReason() async throws {
        try await work.bury(2, reason: "")
        try await work.bury(3)
        let links = try await ask("dead").text.matches(of: /href="(dead\/act\?act=drop[^"]*)"/).map {
            String($0.1).replacing("&amp;", with: "&")
        }
        try #require(links.count == 3, "\(links)")
        let link = try #require(links.first { $0.hasSuffix("reason=") })
        let question = try await ask(link).text
        #expect(question.contains("Drop 2 dead letters?") && question.contains("without a reason"), "\(question)")
        let all = try #require(links.first { $0.hasSuffix("all=1") })
        #expect(try await ask(all).text.contains("Drop 5 dead letters?"))
        #expect(try await post("dead/act", "act=drop", "service=clip", "reason=").status == "303")
        try await eventually("they are dropped") { try await ask("dead").text.contains("done: 2") }
        #expect(try await work.deadCount() == 3)
    }

    @Test("a pause that somebody has set since a page was made is not replaced; the end of one stays with it")
    func pauses() async throws {
        let made = try await ask("services/clip").text
        let old = try #require(made.firstMatch(of: /name="revision" value="([0-9]+)"/)?.1)
        let paused = try await work.farm("pause", "clip", "--for", "2h", "--reason", "new model", "--by", "anna")
        #expect(paused.status == 0)
        let annas = ["clip|1|1|new model|||anna"]
        for fields in [["back=farm", "revision=\(old)"], ["reason=mine", "revision=\(old)"], ["back=farm"], []] {
            let options = fields.map { "--data-urlencode '\($0)'" }.joined(separator: " ")
            let answer = try await ask("services/clip/pause", "-X POST " + options)
            #expect(answer.status == "409" && answer.text.contains("paused by anna until"), "\(fields): \(answer)")
            #expect(try await control == annas, "\(fields)")
        }
        // Whoever sees it may change its reason, and the end stays what it is.
        let page = try await ask("services/clip").text
        let revision = try #require(page.firstMatch(of: /name="revision" value="([0-9]+)"/)?.1)
        let kept = try #require(page.firstMatch(of: /name="kept" value="([0-9]+)"/)?.1)
        #expect(["119", "120"].contains(kept) && page.contains("max=\"525600\" value=\"\(kept)\""), "\(page)")
        let end = try await work.rows("SELECT until FROM farm_control")
        let changed = try await post(
            "services/clip/pause", "reason=newer", "minutes=\(kept)", "kept=\(kept)", "revision=\(revision)")
        #expect(changed.status == "303", "\(changed)")
        #expect(try await control == ["clip|1|1|newer|||web"])
        #expect(try await work.rows("SELECT until FROM farm_control") == end)
        let next = try #require(Int(revision)) + 1
        let longer = try await post(
            "services/clip/pause", "reason=newer", "minutes=300", "kept=\(kept)", "revision=\(next)")
        #expect(longer.status == "303", "\(longer)")
        #expect(try await work.rows("SELECT until FROM farm_control") != end)
    }

    @Test("what is no image is told, and not how it begins, nor what a host has answered")
    func disclosure() async throws {
        try work.write("secret.txt", "root:*:20228:0:99999:7:::")
        let secret = work.path("secret.txt")
        let refused = try await server.ask("POST", "/images", ["path": .string(secret)])
        #expect(refused.problem == "image-refused" && refused.body["detail"] == "not an image", "\(refused)")
        let inside = try MisbehavingServer { request in
            request.path == "/missing" ? .json("", status: 404) : .answer(200, Array("AKIAIOSFODNN7EXAMPLE".utf8))
        }
        let closed = try MisbehavingServer(listening: false)
        var told: Set<String> = []
        for url in ["\(inside.port)/secret", "\(inside.port)/missing", "\(closed.port)/"] {
            let added = try await server.ask("POST", "/images", ["url": .string("http://127.0.0.1:\(url)")])
            let id = try #require(added.body["image_id"]?.integerValue, "\(added)")
            let answers = [
                try await ask("api/v1/images/\(id)/photo").text,
                try await ask("api/v1/images/\(id)/photo?width=9").text,
                try await ask("images/\(id)/photo").text, try await ask("images/\(id)/thumbnail").text,
                try await ask("images/\(id)").text,
            ]
            for answer in answers {
                #expect(answer.contains("it was not fetched, or is no image"), "\(url): \(answer)")
                for word in ["AKIA", "starts with", "refused", "404 "] where answer.contains(word) {
                    Issue.record("\(url) tells \(word): \(answer)")
                }
            }
            told.insert(answers[2].replacing("image \(id)", with: "image"))
        }
        #expect(told.count == 1, "a host that does not answer is told from one that does: \(told)")
        #expect(server.running.error.contains("connection refused"), "the log says why")
        // The command line tells those who may read the file anyway.
        #expect(try await work.farm("import", secret).error.contains("not an image: starts with \"root:*:20228\""))
    }

    @Test("an act on a role that is named by its command says what is set for the role")
    func roles() async throws {
        for act in ["pause", "resume", "resume"] {
            let answer = try await server.ask("POST", "/services/merge/\(act)", [:])
            #expect(answer.status == 200 && answer.body["service"] == "bbox_merger", "\(act): \(answer)")
        }
        let none = try await server.ask("POST", "/services/clip/limit", ["rate": "none"])
        #expect(
            none.status == 422 && none.body["detail"]?.stringValue?.hasSuffix("and null for no limit") == true,
            "\(none)")
    }
}
