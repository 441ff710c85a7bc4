import Foundation
import Model
import Pipeline
import Testing

@Suite("A pass through a queue", .timeLimit(.minutes(5)))
struct InspectionBehaviours {
    private static let letter = DeadLetter(
        reason: "timeout", message: "no answer", tries: 3, workerID: "w1",
        firstFailure: Date(timeIntervalSince1970: 1_789_000_000))

    private typealias Queue = JobQueue & QueueAdministration & QueueInspection

    /// Publishes and buries.
    private func bury(_ texts: [String], in queue: any Queue) async throws {
        for start in stride(from: 0, to: texts.count, by: 500) {
            try await queue.publish(Array(texts[start..<min(start + 500, texts.count)]), to: "q")
        }
        try await bury(texts.count, in: queue)
    }

    private func bury(_ count: Int, in queue: any Queue) async throws {
        let consumer = try await queue.consume("q", prefetch: 500)
        var rest = count
        while rest > 0 {
            let taken = try await consumer.next(upTo: min(rest, 500))
            try await consumer.bury(taken.map { ($0.receipt, InspectionBehaviours.letter) })
            rest -= taken.count
        }
        await consumer.close()
    }

    /// All that a pass shows, without a change.
    private func texts(_ queue: any Queue, _ part: QueuePart = .dead) async throws -> [String] {
        let pass = try await queue.pass(through: "q", part)
        var texts: [String] = []
        while case let batch = try await pass.next(), !batch.isEmpty { texts += batch.map(\.text) }
        try await pass.close()
        return texts
    }

    private func job(_ image: Int) -> Job {
        Job(image: Image(id: image), service: "clip", queue: "q", now: Date(timeIntervalSince1970: 1_789_000_000))
    }

    @Test(
        "shows dead letters with what is known of their end, and leaves them as they are", arguments: inspectedBackends)
    func showing(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            let job = job(7)
            let body = job.body
            try await queue.publish([Message(queue: "q", body: body, headers: ["theirs": "1", "x-farm-tries": "9"])])
            try await queue.publish(["\u{0}no JSON"], to: "q")
            try await bury(2, in: queue)
            let pass = try await queue.pass(through: "q", .dead)
            var letters: [DeadMessage] = []
            while case let batch = try await pass.next(), !batch.isEmpty {
                letters += batch.map { DeadMessage(queue: "q", body: $0.body, headers: $0.headers) }
            }
            try await pass.close()
            try #require(letters.count == 2)
            #expect(letters[0].body == body)
            #expect(letters[0].imageID == 7)
            #expect(letters[0].jobID == job.jobID)
            #expect(letters[0].headers["theirs"] == "1")
            #expect(letters[1].body == Array("\u{0}no JSON".utf8))
            #expect(letters[1].jobID == nil)
            for letter in letters {
                #expect(letter.reason == "timeout")
                #expect(letter.message == "no answer")
                #expect(letter.tries == 3)
                #expect(letter.workerID == "w1")
                #expect(letter.firstFailure == InspectionBehaviours.letter.firstFailure)
                #expect(letter.headers["x-farm-queue"]?.hasSuffix("q") == true)
                #expect(letter.deadSince != nil)
            }
            #expect(try await texts(queue) == letters.map { String(decoding: $0.body, as: UTF8.self) })
        }
    }

    @Test("is empty where there is nothing", arguments: inspectedBackends)
    func nothing(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            #expect(try await texts(queue).isEmpty)
            try await queue.publish(["1"], to: "q")
            #expect(try await texts(queue).isEmpty)
            #expect(try await queue.purge("nowhere") == 0)
        }
    }

    @Test("removes what is named, of more than one batch, and nothing else", arguments: inspectedBackends)
    func removing(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            // More than one channel of a broker holds while some are removed.
            let all = (0..<3300).map(String.init)
            try await bury(all, in: queue)
            let pass = try await queue.pass(through: "q", .dead)
            var removed = 0
            var shown: [String] = []
            while case let batch = try await pass.next(), !batch.isEmpty {
                shown += batch.map(\.text)
                removed += try await pass.remove(
                    batch.filter { (Int($0.text) ?? 0).isMultiple(of: 3) }.map(\.receipt))
            }
            try await pass.close()
            #expect(shown == all)
            #expect(removed == 1100)
            #expect(try await texts(queue) == all.filter { !(Int($0) ?? 0).isMultiple(of: 3) })
        }
    }

    @Test(
        "goes on where another has ended, within a batch too, whatever was removed", arguments: inspectedBackends)
    func places(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            let all = (0..<700).map(String.init)
            try await bury(all, in: queue)
            var place: Int64 = 0
            var shown: [String] = []
            for _ in 1...5 {
                let pass = try await queue.pass(throughDeadOf: "q", from: place)
                var (rest, last): (Int, Receipt?) = (150, nil)
                while rest > 0, case let batch = try await pass.next().prefix(rest), !batch.isEmpty {
                    shown += batch.map(\.text)
                    (rest, last) = (rest - batch.count, batch.last?.receipt)
                    _ = try await pass.remove(
                        batch.filter { (Int($0.text) ?? 0).isMultiple(of: 3) }.map(\.receipt))
                }
                place = await pass.place(after: try #require(last))
                try await pass.close()
            }
            #expect(shown == all)
            let end = try await queue.pass(throughDeadOf: "q", from: place)
            #expect(try await end.next().isEmpty)
            try await end.close()
            #expect(try await texts(queue) == all.filter { !(Int($0) ?? 0).isMultiple(of: 3) })
        }
    }

    @Test("puts another message in the place of what it removes", arguments: inspectedBackends)
    func replacing(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            try await bury(["1", "2", "3"], in: queue)
            let pass = try await queue.pass(through: "q", .dead)
            let batch = try await pass.next()
            let chosen = batch.filter { $0.text != "2" }
            let count = try await pass.replace(
                chosen.map { ($0.receipt, Message(queue: "q", body: $0.body + [0x21], headers: ["h": $0.text])) })
            #expect(count == 2)
            // A receipt is good once.
            #expect(try await pass.remove(chosen.map(\.receipt)) == 0)
            try await pass.close()
            let taken = try await queue.consume("q", prefetch: 2).next(upTo: 2)
            #expect(taken.map(\.text) == ["1!", "3!"])
            #expect(taken.map(\.headers) == [["h": "1"], ["h": "3"]])
            #expect(try await texts(queue) == ["2"])
        }
    }

    @Test("whose process dies leaves everything where it was", arguments: inspectedBackends)
    func dying(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let (dying, other) = (try await broker.connect(), try await broker.connect())
            try await bury(["1", "2", "3"], in: other.queue)
            let pass = try await dying.queue.pass(through: "q", .dead)
            #expect(try await pass.next().count == 3)
            try await dying.die()
            try? await pass.close()
            #expect(try await texts(other.queue) == ["1", "2", "3"])
        }
    }

    @Test(
        "stopped between requeueing a job and removing its dead letter requeues the same job again",
        arguments: inspectedBackends)
    func halfway(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let (dying, other) = (try await broker.connect(), try await broker.connect())
            let job = job(1)
            try await bury([String(decoding: job.body, as: UTF8.self)], in: other.queue)
            func requeued(_ queue: any Queue, _ pass: any QueueBrowsing) async throws -> (Receipt, Message) {
                let delivery = try #require(try await pass.next().first)
                let letter = DeadMessage(queue: "q", body: delivery.body, headers: delivery.headers)
                return (delivery.receipt, letter.requeued(at: Date()))
            }
            let stopped = try await dying.queue.pass(through: "q", .dead)
            try await dying.queue.publish([try await requeued(dying.queue, stopped).1])
            try await dying.die()
            try? await stopped.close()

            let again = try await other.queue.pass(through: "q", .dead)
            #expect(try await again.replace([try await requeued(other.queue, again)]) == 1)
            try await again.close()
            let consumer = try await other.queue.consume("q", prefetch: 2)
            var taken: [Delivery] = []
            while taken.count < 2 { taken += try await consumer.next(upTo: 2) }
            let jobs = try taken.map { try Job(body: $0.body, queue: "q", service: "clip").jobID }
            #expect(Set(jobs).count == 1)
            #expect(jobs.first != job.jobID)
            #expect(taken.map { $0.headers["x-farm-first-job"] } == [job.jobID.text, job.jobID.text])
            #expect(try await texts(other.queue).isEmpty)
        }
    }

    @Test("removes a message once, however many passes there are", arguments: inspectedBackends)
    func together(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queues = [try await broker.connect().queue, try await broker.connect().queue]
            let all = (0..<1000).map(String.init)
            try await bury(all, in: queues[0])
            let replaced = try await withThrowingTaskGroup(of: Int.self) { group in
                for queue in queues {
                    group.addTask {
                        let pass = try await queue.pass(through: "q", .dead)
                        var count = 0
                        while case let batch = try await pass.next(), !batch.isEmpty {
                            count += try await pass.replace(
                                batch.map { ($0.receipt, Message(queue: "q", body: $0.body)) })
                        }
                        try await pass.close()
                        return count
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(replaced == 1000)
            #expect(try await texts(queues[0], .waiting).sorted() == all.sorted())
            #expect(try await texts(queues[0]).isEmpty)
        }
    }

    @Test("ends, although what it requeues dies again at once", arguments: inspectedBackends)
    func ending(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let queue = try await broker.connect().queue
            try await bury((0..<700).map(String.init), in: queue)
            let pass = try await queue.pass(through: "q", .dead)
            var shown = 0
            while case let batch = try await pass.next(), !batch.isEmpty {
                shown += batch.count
                _ = try await pass.replace(batch.map { ($0.receipt, Message(queue: "q", body: $0.body)) })
                try await bury(batch.count, in: queue)
            }
            try await pass.close()
            #expect(shown == 700)
            #expect(try await texts(queue).count == 700)
        }
    }

    @Test(
        "shows what waits, in order, not what is taken; what it leaves is taken in order", arguments: inspectedBackends)
    func waiting(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let (queue, other) = (try await broker.connect().queue, try await broker.connect().queue)
            try await queue.publish(["0", "1", "2", "3", "4"], to: "q")
            let consumer = try await other.consume("q", prefetch: 1)
            let taken = try await consumer.next(upTo: 1)
            let pass = try await queue.pass(through: "q", .waiting)
            let batch = try await pass.next()
            #expect(batch.map(\.text) == ["1", "2", "3", "4"])
            #expect(try await pass.remove([batch[1].receipt]) == 1)
            #expect(try await pass.next().isEmpty)
            try await pass.close()
            var rest: [String] = []
            var next = taken
            while rest.count < 3 {
                try await consumer.acknowledge(next.map(\.receipt))
                next = try await consumer.next(upTo: 1)
                rest += next.map(\.text)
            }
            #expect(rest == ["1", "3", "4"])
        }
    }

    @Test("does not remove what somebody has taken meanwhile", arguments: inspectedBackends)
    func takenMeanwhile(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let (queue, other) = (try await broker.connect().queue, try await broker.connect().queue)
            try await queue.publish(["1"], to: "q")
            let pass = try await queue.pass(through: "q", .waiting)
            let shown = try await pass.next()
            #expect(shown.map(\.text) == ["1"])
            let consumer = try await other.consume("q", prefetch: 1)
            async let taking = consumer.next(upTo: 1)
            if backend.canDelay {
                // A queue that shows without taking: now it is the consumer's, and the next one has the old one's number.
                let taken = try await taking
                #expect(try await pass.remove(shown.map(\.receipt)) == 0)
                try await consumer.acknowledge(taken.map(\.receipt))
                try await queue.publish(["2"], to: "q")
                #expect(try await pass.remove(shown.map(\.receipt)) == 0)
                #expect(try await texts(queue, .waiting) == ["2"])
                try await pass.close()
            } else {
                try await pass.close()
                #expect(try await taking.map(\.text) == ["1"])
            }
        }
    }

    @Test("is not needed to drop all that waits, delayed or not; what is taken stays", arguments: inspectedBackends)
    func purging(_ backend: QueueBackend) async throws {
        try await backend.run { broker in
            let (queue, other) = (try await broker.connect().queue, try await broker.connect().queue)
            try await queue.publish((0..<30).map(String.init), to: "q")
            try await queue.publish(["1"], to: "other")
            let consumer = try await other.consume("q", prefetch: 2)
            var taken: [Delivery] = []
            while taken.count < 2 { taken += try await consumer.next(upTo: 2) }
            if backend.canDelay { try await consumer.giveBack([taken.removeLast().receipt], after: .seconds(60)) }
            var dropped = 0
            while case let count = try await queue.purge("q"), count > 0 { dropped += count }
            #expect(dropped == (backend.canDelay ? 29 : 28))
            let depths = try await queue.depths(of: ["q", "other"])
            #expect(depths.map(\.waiting) == [0, 1])
            // What is in flight is known to the process that holds it, on every queue.
            #expect(try await other.depths(of: ["q"])[0].knownInFlight == (backend.canDelay ? 1 : 2))
            try await consumer.giveBack(taken.map(\.receipt), after: .zero)
            #expect(try await consumer.next(upTo: 1).first?.redelivered == true)
        }
    }
}
