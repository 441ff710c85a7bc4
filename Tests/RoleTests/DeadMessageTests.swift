import Foundation
import Model
import Pipeline
import Testing

@Suite("A dead letter")
struct DeadMessageTests {
    private static let died = Date(timeIntervalSince1970: 1_790_000_000.25)
    private static let now = Date(timeIntervalSince1970: 1_790_009_000)

    private static func letter(_ reason: String = "timeout", tries: Int = 3) -> DeadLetter {
        DeadLetter(
            reason: reason, message: "no answer", tries: tries, workerID: "w1",
            firstFailure: Date(timeIntervalSince1970: 1_789_999_990))
    }

    private static func dead(
        _ body: [UInt8], in queue: String = "queue_clip", died: Date = died, extra: [String: String] = [:]
    ) -> DeadMessage {
        let headers = extra.merging(letter().headers(from: queue, deadSince: died)) { $1 }
        return DeadMessage(queue: queue, body: body, headers: headers)
    }

    private static func job(_ id: UUID) -> [UInt8] {
        Array(#"{"z":1.0,"image_id":5,"job_id":"\#(id.text)","service_name":"clip","theirs":{"a":[1]}}"#.utf8)
    }

    private func jobID(_ message: Message) throws -> UUID {
        try Job(body: message.body, queue: message.queue, service: "").jobID
    }

    @Test("goes back as the same new job however often it is requeued, and as another one after another death")
    func sameJob() throws {
        let id = UUID()
        let dead = DeadMessageTests.dead(DeadMessageTests.job(id), extra: ["theirs": "kept", "CC": "[\"other\"]"])
        let first = dead.requeued(at: DeadMessageTests.now)
        let again = dead.requeued(at: DeadMessageTests.now.addingTimeInterval(60))
        #expect(first.queue == "queue_clip")
        #expect(first.body == again.body)
        let renamed = try jobID(first)
        #expect(renamed != id)
        #expect(renamed == UUID(namespace: id, name: id.text.utf8))
        let expected = String(decoding: DeadMessageTests.job(id), as: UTF8.self).replacing(id.text, with: renamed.text)
        #expect(String(decoding: first.body, as: UTF8.self) == expected, "nothing but the id changes")
        #expect(first.headers.keys.sorted() == ["theirs", "x-farm-first-job", "x-farm-history"])
        #expect(first.headers["x-farm-first-job"] == id.text)

        let later = DeadMessageTests.dead(
            first.body, died: DeadMessageTests.died.addingTimeInterval(5), extra: first.headers)
        #expect(later.jobID == renamed)
        #expect(later.firstJobID == id)
        let third = later.requeued(at: DeadMessageTests.now)
        #expect(third.headers["x-farm-first-job"] == id.text, "the first one, not the last one")
        #expect(Set([id, renamed, try jobID(third)]).count == 3)
    }

    @Test("goes back as the same new job as another letter of the same death, which was buried later")
    func twoLetters() throws {
        let body = DeadMessageTests.job(UUID())
        let letters = [0, 5].map { DeadMessageTests.dead(body, died: DeadMessageTests.died.addingTimeInterval($0)) }
        let jobs = try letters.map { try jobID($0.requeued(at: DeadMessageTests.now)) }
        #expect(jobs[0] == jobs[1])
    }

    @Test("keeps how it died, and forgets its tries")
    func history() throws {
        let id = UUID()
        var message = Message(queue: "queue_clip", body: DeadMessageTests.job(id))
        for round in 0..<12 {
            let dead = DeadMessageTests.dead(
                message.body, died: DeadMessageTests.died.addingTimeInterval(Double(round)), extra: message.headers)
            #expect(dead.tries == 3)
            #expect(dead.history.count == min(round, 10), "bounded")
            message = dead.requeued(at: DeadMessageTests.now)
            #expect(message.headers["x-farm-tries"] == nil)
            #expect(message.headers["x-farm-reason"] == nil)
        }
        let last = DeadMessageTests.dead(message.body, extra: message.headers)
        let death = try #require(last.history.first)
        #expect(death["reason"]?.stringValue == "timeout")
        #expect(death["message"]?.stringValue == "no answer")
        #expect(death["tries"]?.integerValue == 3)
        #expect(death["worker_id"]?.stringValue == "w1")
        #expect(death["dead_since"]?.stringValue == "2026-09-21T14:13:22.250Z", "the two oldest are forgotten")
        #expect(death["first_failure"]?.stringValue == "2026-09-21T14:13:10.000Z")
    }

    @Test("of another program without job_id gets an id as its job had")
    func foreign() throws {
        let body = Array(#"{"image_id":5}"#.utf8)
        let dead = DeadMessageTests.dead(body)
        let id = try Job(body: body, queue: "queue_clip", service: "").jobID
        #expect(dead.jobID == id)
        let message = dead.requeued(at: DeadMessageTests.now)
        #expect(message.headers["x-farm-first-job"] == id.text)
        #expect(try jobID(message) == UUID(namespace: id, name: id.text.utf8))
        #expect(String(decoding: message.body, as: UTF8.self).hasPrefix(#"{"image_id":5,"job_id":""#))
    }

    @Test(
        "that is a trigger, or no job at all, goes back as it came",
        arguments: [
            ("queue_consensus", #"{"image_id":5,"service":"clip"}"#), ("queue_clip", "\u{0}{"), ("queue_clip", ""),
            ("queue_clip", #"{"image_id":"five"}"#), ("queue_clip", "[1]"),
        ])
    func noJob(_ queue: String, _ text: String) throws {
        let dead = DeadMessageTests.dead(Array(text.utf8), in: queue)
        #expect(dead.jobID == nil)
        let message = dead.requeued(at: DeadMessageTests.now)
        #expect(message.body == Array(text.utf8))
        #expect(message.queue == queue)
        #expect(Array(message.headers.keys) == ["x-farm-history"])
    }

    @Test("that a broker made says what the broker wrote; what nobody wrote is unknown")
    func byBroker() {
        let death = #"[{"count":1,"reason":"expired","queue":"queue_clip","time":1790000000,"exchange":""}]"#
        let dead = DeadMessage(
            queue: "queue_clip", body: [], headers: ["x-death": death, "x-first-death-reason": "expired"])
        #expect(dead.reason == "expired")
        #expect(dead.deadSince == Date(timeIntervalSince1970: 1_790_000_000))
        #expect(dead.tries == nil)
        #expect(Array(dead.requeued(at: DeadMessageTests.now).headers.keys) == ["x-farm-history"])
        let bare = DeadMessage(queue: "queue_clip", body: [], headers: ["x-death": "yes", "x-farm-history": "{"])
        #expect(bare.reason == "unknown")
        #expect(bare.deadSince == nil)
        #expect(bare.history.isEmpty)
    }

    @Test("that says it died at any time at all is dated within the years of ISO 8601")
    func times() {
        for (time, shown) in [(Int64.max, "9999-12-31T23:59:59.999Z"), (.min, "0000-01-01T00:00:00.000Z")] {
            let dead = DeadMessage(
                queue: "queue_clip", body: DeadMessageTests.job(UUID()), headers: ["x-death": #"[{"time":\#(time)}]"#])
            #expect(dead.deadSince.map(Timestamp.iso8601) == shown)
            #expect(dead.requeued(at: DeadMessageTests.now).headers["x-farm-history"]?.contains(shown) == true)
        }
    }

    @Test("is meant by a filter when all that it asks for is so")
    func filter() {
        let dead = DeadMessageTests.dead(DeadMessageTests.job(UUID()))
        let ageless = DeadMessage(queue: "queue_clip", body: [], headers: [:])
        func meant(_ filter: DeadLetterFilter, _ letter: DeadMessage = dead) -> Bool { filter.matches(letter) }
        let (before, after) = (
            DeadMessageTests.died.addingTimeInterval(-1), DeadMessageTests.died.addingTimeInterval(1)
        )
        #expect(meant(DeadLetterFilter()))
        #expect(meant(DeadLetterFilter(reasons: ["timeout", "http"], images: [5, 6], before: after, after: before)))
        #expect(!meant(DeadLetterFilter(reasons: ["http"])))
        #expect(!meant(DeadLetterFilter(images: [6])))
        #expect(!meant(DeadLetterFilter(before: before)))
        #expect(!meant(DeadLetterFilter(after: after)))
        #expect(meant(DeadLetterFilter(), ageless))
        #expect(!meant(DeadLetterFilter(images: [5]), ageless))
        #expect(!meant(DeadLetterFilter(before: .distantFuture), ageless), "nobody knows how old it is")
        #expect(!meant(DeadLetterFilter(after: .distantPast), ageless))
    }
}
