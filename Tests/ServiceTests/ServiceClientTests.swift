import Doubles
import Foundation
import Model
import Pipeline
import Synchronization
import Testing
import Waiting

@testable import Services

@Suite("Service client: answers and failures")
struct ServiceClientTests {
    private func failure(_ behaviour: Behaviour, timeout: Duration = .seconds(30)) async throws -> AnalysisFailure {
        let server = try MisbehavingServer { _ in behaviour }
        let failure = try #require(
            await Bench(port: server.port, timeout: timeout, time: InstantTime()).analyze().failure)
        #expect(server.requests.count == failure.tries)
        #expect(failure.message.contains("blip at 127.0.0.1:\(server.port)"))
        return failure
    }

    @Test("The picture's URL arrives percent-encoded and intact")
    func url() async throws {
        let server = try MisbehavingServer()
        let picture = "http://pictures/a&b#c+d%20e f/ü🙂.jpg?x=1&y=2"
        #expect(await Bench(port: server.port).analyze(picture).answer != nil)
        let request = try #require(server.requests.first)
        #expect(request.method == "GET")
        #expect(request.path == "/analyze")
        let value = request.query.dropFirst("url=".count)
        #expect(value.removingPercentEncoding == picture)
        #expect(value.utf8.allSatisfy { byte in byte < 0x7f && !"&#+ ?/=:".utf8.contains(byte) })
    }

    @Test("An answer keeps its bytes, and its time is what it says, else what the call took")
    func answer() async throws {
        let text = #"{"predictions": [{"label": "cat"}], "metadata": {"processing_time": 0.25}, "status": "success"}"#
        let server = try MisbehavingServer { _ in .json(text) }
        let answer = try #require(await Bench(port: server.port).analyze().answer)
        #expect(answer.body == Array(text.utf8))
        #expect(answer.json["predictions"]?.arrayValue?.count == 1)
        #expect(answer.processingTime == 0.25)
        for time in ["-1", "\"1\"", "null", "true", "1e300"] {
            let server = try MisbehavingServer { _ in
                .json(#"{"predictions": [], "metadata": {"processing_time": \#(time)}}"#)
            }
            let answer = try #require(await Bench(port: server.port).analyze().answer)
            #expect(answer.processingTime > 0 && answer.processingTime < 30)
        }
    }

    @Test("Nothing but a missing list of predictions or an error status makes JSON unsound")
    func sound() async throws {
        let deep = String(repeating: "[", count: 62) + String(repeating: "]", count: 62)
        for text in [
            #"{"predictions": []}"#, #"{"predictions": [1, "a", null], "status": 3}"#,
            #"{"predictions": [], "status": "done"}"#,
            #"{"predictions": [\#(deep)]}"#,
        ] {
            let server = try MisbehavingServer { _ in .json(text) }
            #expect(await Bench(port: server.port).analyze().answer != nil, "\(text)")
        }
    }

    @Test("What is not JSON is tried again and fails as not_json")
    func notJSON() async throws {
        let texts = [
            "<!DOCTYPE html><p>502", "", #"{"predictions": [NaN]}"#, #"{"predictions": [Infinity]}"#,
            "{\"a\": \"\u{1}\"}",
        ]
        for behaviour in texts.map({ Behaviour.json($0) }) + [.answer(200, [0x22, 0xff, 0x22]), .answer(204, [])] {
            let failure = try await failure(behaviour)
            #expect(failure.kind == .notJSON)
            #expect(failure.tries == 3)
        }
    }

    @Test("JSON of another shape is a bad answer at once")
    func badAnswer() async throws {
        for text in ["[]", "3", "null", "{}", #"{"predictions": {}}"#, #"{"predictions": "x", "status": "success"}"#] {
            let failure = try await failure(.json(text))
            #expect(failure.kind == .badAnswer)
            #expect(failure.tries == 1)
        }
    }

    @Test("A status of error is a service error at once, with its message in one line")
    func serviceError() async throws {
        let failure = try await failure(
            .json(#"{"status": "error", "predictions": [], "error": {"message": "no\nmemory"}}"#))
        #expect(failure.kind == .serviceError)
        #expect(failure.tries == 1)
        #expect(failure.message.hasSuffix(": no memory"))
        let long = try await self.failure(
            .json(#"{"status": "error", "error": {"message": "\#(String(repeating: "x", count: 9000))"}}"#))
        #expect(long.message.count < 600)
        #expect(try await self.failure(.json(#"{"status": "error", "error": 3}"#)).kind == .serviceError)
    }

    @Test("What is too large or nested too deep fails at once as too_large")
    func tooLarge() async throws {
        for depth in [100, 100_000] {
            let text =
                #"{"predictions": "# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
            let failure = try await failure(.json(text))
            #expect(failure.kind == .tooLarge)
            #expect(failure.tries == 1)
            #expect(failure.message.contains("nesting deeper than 64"))
        }
        let failure = try await failure(.answer(200, [UInt8](repeating: 32, count: 17 << 20)))
        #expect(failure.kind == .tooLarge)
        #expect(failure.tries == 1)
    }

    @Test("A broken connection is tried again and fails as connection")
    func connection() async throws {
        for behaviour in [
            Behaviour.cutShort(promised: 100, Array("{".utf8)), .close, .reset(promised: 100, Array("{".utf8)),
        ] {
            let failure = try await failure(behaviour)
            #expect(failure.kind == .connection)
            #expect(failure.tries == 3)
        }
    }

    @Test("Statuses that may pass are tried again, others are final; the error's message is told")
    func statuses() async throws {
        for (status, tries) in [
            (404, 1), (400, 1), (413, 1), (302, 1), (408, 3), (425, 3), (429, 3), (500, 3), (503, 3), (599, 3),
        ] {
            let failure = try await failure(
                .json(#"{"status": "error", "error": {"message": "because"}}"#, status: status))
            #expect(failure.kind == .http)
            #expect(failure.httpStatus == status)
            #expect(failure.tries == tries)
            #expect(failure.message.hasSuffix("answered \(status): because"))
        }
    }

    @Test("A service that hangs is tried again and fails as timeout")
    func timeout() async throws {
        let failure = try await failure(.hang, timeout: .milliseconds(500))
        #expect(failure.kind == .timeout)
        #expect(failure.tries == 3)
        #expect(failure.httpStatus == nil)
    }

    @Test("500, then 200: the second try answers")
    func again() async throws {
        let server = try MisbehavingServer { $0.number == 1 ? .json("", status: 500) : .success }
        #expect(await Bench(port: server.port, time: InstantTime()).analyze().answer != nil)
        #expect(server.requests.count == 2)
    }

    @Test("The waits double up to a minute, and are drawn from half of that to all")
    func waits() async throws {
        let server = try MisbehavingServer { _ in .json("", status: 500) }
        for (random, part) in [(0.0, 0.5), (1.0, 1.0)] {
            let time = InstantTime()
            let bench = Bench(port: server.port, maxTries: 7, random: random, time: time)
            #expect(await bench.analyze().failure?.tries == 7)
            #expect(time.slept == [4, 8, 16, 32, 60, 60].map { .seconds($0 * part) })
        }
    }

    @Test("Retry-After takes the place of the back-off")
    func retryAfterWait() async throws {
        let server = try MisbehavingServer { _ in .json("", status: 429, headers: ["Retry-After": "10"]) }
        for (random, wait) in [(0.0, 10.0), (1.0, 11.0)] {
            let time = InstantTime()
            let bench = Bench(port: server.port, maxTries: 2, random: random, time: time)
            #expect(await bench.analyze().failure?.httpStatus == 429)
            #expect(time.slept == [.seconds(wait)])
        }
    }

    @Test("A job that would be held for too long goes back between two tries, and its tries are kept")
    func heldLong() async throws {
        let server = try MisbehavingServer { _ in .json("", status: 500) }
        let bench = Bench(port: server.port, maxTries: 9, time: InstantTime())
        let key = UUID()
        #expect(await bench.analyze(key: key).unavailable?.contains("held for long enough") == true)
        #expect(await bench.analyze(key: key).failure?.tries == 9)
        #expect(server.requests.count == 9)
    }

    @Test("Retry-After is waited out; one of over a minute pauses the service and the job goes back")
    func retryAfter() async throws {
        let server = try MisbehavingServer {
            switch $0.number {
            case 1: .json("", status: 429, headers: ["Retry-After": "10"])
            case 2: .json("", status: 503, headers: ["Retry-After": "3600"])
            default: .success
            }
        }
        let bench = Bench(port: server.port)
        async let outcome = bench.analyze()
        await bench.time.sleepers(1)
        bench.time.advance(by: .seconds(9.9))
        #expect(server.requests.count == 1)
        bench.time.advance(by: .seconds(1.2))
        #expect(await outcome.unavailable?.hasSuffix("asks for a pause of 3600 s") == true)
        #expect(await bench.client.outage() != nil)
        #expect(bench.lines.all.count == 1)
        async let permits = bench.client.permits()
        await bench.time.sleepers(1)
        bench.time.advance(by: .seconds(3599))
        #expect(server.requests.count == 2)
        bench.time.advance(by: .seconds(2))
        #expect(try await permits == 1)
        #expect(await bench.analyze().answer != nil)
    }

    @Test("A picture and a file are posted; a file that is gone is an image failure without a try")
    func subjects() async throws {
        let server = try MisbehavingServer()
        let bench = Bench(port: server.port)
        #expect(
            await bench.client.analyze(.picture(jpeg: [0xff, 0xd8, 0xff], filename: "cat_1.jpg"), key: UUID()).answer
                != nil)
        #expect(server.requests.first?.method == "POST")
        let failure = try #require(await bench.client.analyze(.file(path: "/nowhere.jpg"), key: UUID()).failure)
        #expect(failure.kind == .image)
        #expect(failure.tries == 0)
        #expect(failure.message == "/nowhere.jpg: cannot be read: No such file or directory")
    }

    @Test("No more requests are in flight than the service takes")
    func concurrency() async throws {
        let held = DispatchSemaphore(value: 0)
        let server = try MisbehavingServer { request in
            if request.number <= 3 { held.wait() }
            return .success
        }
        let bench = Bench(port: server.port, concurrency: 3)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 1...30 { group.addTask { await bench.analyze().answer != nil } }
            await server.received { $0.count == 3 }
            for _ in 1...3 { held.signal() }
            for await isAnswered in group { #expect(isAnswered) }
        }
        #expect(server.mostInFlight == 3)
        #expect(server.requests.count == 30)
    }

    @Test("A job that waits too long for a slot goes back when one is given back, without a call of its own")
    func slotLimit() async throws {
        let answer = DispatchSemaphore(value: 0)
        let server = try MisbehavingServer { _ in
            answer.wait()
            return .success
        }
        let bench = Bench(port: server.port, concurrency: 1)
        let first = Task { await bench.analyze() }
        await server.received { $0.count == 1 }
        let second = Task { await bench.analyze() }
        await bench.slotWaiters(1)
        bench.time.advance(by: .seconds(256))
        answer.signal()
        #expect(await first.value.answer != nil)
        #expect(await second.value.unavailable?.contains("too busy") == true)
        #expect(server.requests.count == 1)
    }

    @Test("A cancelled job goes back at once, in flight, before a try or while it waits for a slot")
    func cancellation() async throws {
        let server = try MisbehavingServer { _ in .hang }
        let bench = Bench(port: server.port, concurrency: 1)
        let inFlight = Task { await bench.analyze() }
        await server.received { $0.count == 1 }
        let waiting = Task { await bench.analyze() }
        await bench.slotWaiters(1)
        waiting.cancel()
        #expect(await waiting.value == .unavailable("cancelled"))
        inFlight.cancel()
        #expect(await inFlight.value.unavailable != nil)
        let failing = try MisbehavingServer { _ in .json("", status: 500) }
        let other = Bench(port: failing.port)
        let retrying = Task { await other.analyze() }
        await other.time.sleepers(1)
        retrying.cancel()
        #expect(await retrying.value == .unavailable("cancelled"))
    }

    @Test("Two hundred jobs at once are all answered")
    func many() async throws {
        let server = try MisbehavingServer { $0.number % 7 == 0 ? .json("", status: 503) : .success }
        let bench = Bench(port: server.port, maxTries: 50, retryDelay: .zero, concurrency: 32, time: SystemTime())
        await withTaskGroup(of: Bool.self) { group in
            for _ in 1...200 { group.addTask { await bench.analyze().answer != nil } }
            for await isAnswered in group { #expect(isAnswered) }
        }
        #expect(server.mostInFlight <= 32)
    }
}
