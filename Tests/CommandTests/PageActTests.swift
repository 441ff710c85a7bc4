import Foundation
import Model
import Testing

/// The forms of the pages, sent as a browser without JavaScript sends them.
@Suite("Acts of the pages", .serialized)
struct PageActTests {
    private static let set = """
        SELECT service, paused, coalesce(until IS NOT NULL, 0), coalesce(reason, ''), coalesce(rate_limit, ''),
            coalesce(concurrency, ''), set_by FROM farm_control ORDER BY service
        """
    private static let audit = "SELECT who, act, filter, count FROM farm_audit ORDER BY audit_id"

    private let work: Workplace
    private let server: APIServer

    init() async throws {
        work = try await Workplace.prepared(images: 4)
        try work.configure(["blip", "clip"].map { (service: $0, port: 9) })
        server = try await APIServer.start(work)
    }

    /// - Returns: the status, and where it leads.
    private func post(_ path: String, _ fields: [String] = [], headers: [String] = []) async throws -> String {
        let options = fields.map { "--data-urlencode '\($0)'" } + headers.map { "-H '\($0)'" }
        let curl = "curl -s -o answer -w '%{http_code} %{redirect_url}' -X POST \(options.joined(separator: " "))"
        let finished = try await work.bash("\(curl) 'http://127.0.0.1:\(server.port)/\(path)'")
        return finished.output.replacing("http://127.0.0.1:\(server.port)", with: "")
    }

    private func page(_ path: String) async throws -> String {
        try await work.bash("curl -s 'http://127.0.0.1:\(server.port)/\(path)'").output
    }

    private var answer: String { (try? String(contentsOfFile: work.path("answer"), encoding: .utf8)) ?? "" }

    @Test("a service is paused, limited and resumed, and the audit says so")
    func control() async throws {
        let paused = try await post("services/clip/pause", ["reason=<b>new model", "minutes=90"])
        #expect(paused == "303 /services/clip?done=paused&what=clip")
        #expect(try await work.rows(PageActTests.set) == ["clip|1|1|<b>new model|||web"])
        let shown = try await page("services/clip?done=paused&what=clip")
        #expect(shown.contains("clip is paused. Workers obey within five seconds."))
        #expect(
            shown.contains("paused by web until ") && shown.contains("&lt;b&gt;new model") && !shown.contains("<b>"))
        let limited = try await post("services/clip/limit", ["rate=5/min", "concurrency=2", "back=farm"])
        #expect(limited == "303 /?done=limited&what=clip")
        #expect(
            try await work.rows("SELECT paused, round(rate_limit * 60), concurrency FROM farm_control") == ["1|5.0|2"])
        #expect(try await post("services/clip/resume") == "303 /services/clip?done=resumed&what=clip")
        #expect(try await post("services/clip/limit", ["rate=", "concurrency="]).hasPrefix("303 "))
        #expect(try await work.rows(PageActTests.set) == ["clip|0|0||||web"])
        // A person who sees by whom it is paused means it.
        #expect(try await work.farm("pause", "clip", "--by", "anna").status == 0)
        #expect(try await post("services/clip/resume").hasPrefix("303 "))
        let acts = try await work.rows("SELECT who, act, count FROM farm_audit ORDER BY audit_id")
        #expect(
            acts == ["web|pause|1", "web|limit|1", "web|resume|1", "web|limit|1", "anna|pause|1", "web|resume|1"])
        #expect(try await page("audit").contains("&lt;b&gt;new model"))
    }

    @Test("what makes no sense, and what another site's page sends, changes nothing")
    func refused() async throws {
        for (path, fields, status, text) in [
            ("services/clip/pause", ["minutes=0"], "422 ", "minutes of a pause"),
            ("services/clip/pause", ["minutes=x"], "422 ", "minutes of a pause"),
            ("services/clip/limit", ["rate=0/s"], "422 ", "would let nothing pass"),
            ("services/clip/limit", ["rate=fast"], "422 ", "is no rate"),
            ("services/clip/limit", ["concurrency=0"], "422 ", "The form holds"),
            ("services/nobody/pause", [], "404 ", "no such service"), ("dead/act", ["act=burn"], "400 ", "no act"),
            ("images/1/rerun", ["what=everything", "key=a"], "400 ", "nothing to run again"),
            ("images/1/rerun", ["what=all"], "400 ", "no key of a form"),
        ] {
            #expect(try await post(path, fields) == status, "\(path) \(fields)")
            #expect(answer.contains(text), "\(path) \(fields): \(answer)")
        }
        for header in ["Sec-Fetch-Site: cross-site", "Origin: http://example.org"] {
            for path in ["services/clip/pause", "dead/act", "images/1/rerun"] {
                #expect(
                    try await post(path, ["act=drop", "all=1"], headers: [header]) == "403 ", "\(path)")
            }
        }
        #expect(try await work.count("SELECT count(*) FROM farm_control") == 0)
        #expect(try await work.count("SELECT count(*) FROM farm_audit") == 0)
        #expect(try await work.waiting().isEmpty)
    }

    @Test("dead letters are counted first; then all of a filter are requeued or dropped, with rows before and after")
    func dead() async throws {
        try await work.bury(3)
        try await work.bury(1, of: "blip", reason: "http")
        let question = try await page("dead/act?act=drop&service=clip&reason=timeout")
        #expect(question.contains("Drop 3 dead letters?") && question.contains("gone for good"))
        #expect(try await work.deadCount() == 4, "to ask changes nothing")
        #expect(try await page("dead/act?act=drop&service=clip&reason=http").contains("There are none like this"))
        #expect(try await work.rows(PageActTests.audit).isEmpty)
        #expect(try await post("dead/act", ["act=drop", "service=clip", "reason=timeout"]) == "303 /dead?done=begun")
        try await eventually("they are dropped") { try await page("dead").contains("done: 3") }
        #expect(try await work.deadCount() == 1)
        #expect(try await work.waiting().isEmpty)
        #expect(try await post("dead/act", ["act=requeue", "all=1"]) == "303 /dead?done=begun")
        try await eventually("the other is requeued") { try await page("dead").contains("done: 1") }
        #expect(try await work.waiting() == ["queue_blip|1"])
        #expect(
            try await work.rows(PageActTests.audit) == [
                "web|dead drop begins|service clip, reason timeout|0", "web|dead drop|service clip, reason timeout|3",
                "web|dead requeue begins|all|0", "web|dead requeue|all|1",
            ])
        #expect(try await page("dead").contains("There are none: no job has failed for good."))
    }

    @Test("a service with many dead letters hides no other, and what was not counted can be acted on by service")
    func manyDead() async throws {
        try await work.bury(6_000)
        try await work.bury(3, reason: "bad_answer")
        try await work.bury(7, of: "blip", reason: "http")
        let shown = try await page("dead").replacing("\u{202F}", with: " ")
        #expect(shown.contains("5 000 of 6 010 letters were counted by reason; acts meet all of them."))
        for (service, reason, count, query) in [
            ("clip", "any", "6 003", ""), ("clip", "timeout", "at least 4 993", "&amp;reason=timeout"),
            ("blip", "http", "7", "&amp;reason=http"),
        ] {
            #expect(
                shown.contains(
                    """
                    <tr><th scope="row">\(service)</th><td data-name="Reason">\(reason)</td>
                    <td data-name="Letters" class="number">\(count)</td>
                    """), "\(service) \(reason): \(shown)")
            #expect(shown.contains("<a href=\"dead/act?act=drop&amp;service=\(service)\(query)\">Drop</a>"))
        }
        #expect(!shown.contains("bad_answer"), "it is behind those that were looked at")
    }

    @Test("the count of the question only says how much there is to do, and an act needs none")
    func total() async throws {
        try await work.bury(3)
        let question = try await page("dead/act?act=drop&service=clip")
        #expect(question.contains("<input type=\"hidden\" name=\"total\" value=\"3\">"))
        #expect(try await post("dead/act", ["act=drop", "service=nobody", "total=3"]).hasPrefix("4"))
        #expect(answer.contains("unknown service nobody"), "\(answer)")
        #expect(try await page("dead").contains("Acts of this server") == false)
        #expect(try await post("dead/act", ["act=drop", "service=clip", "total=-5"]).hasPrefix("400"))
        for (buried, fields) in [(0, ["total=1"]), (4, []), (2, ["total=500"])] {
            if buried > 0 { try await work.bury(buried) }
            #expect(try await post("dead/act", ["act=drop", "service=clip"] + fields) == "303 /dead?done=begun")
            try await eventually("all are dropped, whatever the total") { try await work.deadCount() == 0 }
        }
    }

    @Test("to stop an act that has ended, or that never was, says so")
    func stopping() async throws {
        #expect(try await post("acts/99/stop") == "404 ")
        #expect(answer.contains("there is no such act"))
        try await work.bury(1)
        #expect(try await post("dead/act", ["act=drop", "all=1"]).hasPrefix("303 "))
        try await eventually("it has ended") { try await page("dead").contains("done: 1") }
        #expect(try await post("acts/1/stop") == "303 /dead?done=ended")
        #expect(try await page("dead?done=ended").contains("It has ended already."))
    }

    @Test("an act that SIGTERM ends writes down how many letters it has met")
    func ended() async throws {
        let count = 150_000
        try await work.bury(count)
        #expect(try await post("dead/act", ["act=drop", "service=clip"]).hasPrefix("303 "))
        try await eventually("it has begun") { try await work.count("SELECT count(*) FROM farm_audit") > 0 }
        server.running.signal(SIGTERM)
        #expect(try await server.running.finished().status == 0)
        let left = try await work.deadCount()
        #expect(left > 0, "it was over before it could be stopped")
        #expect(
            try await work.rows(PageActTests.audit) == [
                "web|dead drop begins|service clip|0", "web|dead drop|service clip|\(count - left)",
            ])
    }

    @Test("services are asked about an image again, once for each form that was sent")
    func rerun() async throws {
        for _ in 1...2 {
            let answer = try await post("images/1/rerun", ["what=all", "key=a-form"])
            #expect(answer == "303 /images/1?done=rerun&what=2")
        }
        let jobs = try await work.rows(
            "SELECT DISTINCT json_extract(CAST(body AS TEXT), '$.job_id') FROM farm_queue WHERE queue = 'queue_clip'")
        #expect(jobs.count == 1, "the same job, so that it is done once")
        #expect(try await post("images/1/rerun", ["service=clip", "key=b"]) == "303 /images/1?done=rerun&what=1")
        #expect(try await post("images/1/rerun", ["what=failed", "key=c"]) == "303 /images/1?done=rerun&what=0")
    }
}
