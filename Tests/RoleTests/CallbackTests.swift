import Doubles
import Foundation
import Model
import Operations
import Pipeline
import Roles
import Testing
import Waiting

extension Bench {
    /// Promises to post about an image, whose services have one job each.
    @discardableResult
    func promise(
        _ image: ImageID, to url: String = "http://hooks/a", until goal: ImageGoal = .primary, jobs: [String: UUID]
    ) async throws -> Callback {
        let callback = Callback(
            id: UUID(), imageID: image, imageFilename: nil, url: url, until: goal, jobs: jobs, acceptedAt: time.now())
        try await queue.publish([Message(queue: Callback.queue, body: callback.body)])
        return callback
    }

    /// Writes the row of a job.
    func answer(_ service: String, _ image: ImageID, _ job: UUID) async throws {
        try await store.record([
            AnalysisResult(
                imageID: image, service: service, data: Answer.of(service, []).body, status: .success,
                processingTime: 0.01, workerID: "test", jobID: job)
        ])
    }

    func callbacks(_ poster: ScriptedPoster, tries: Int = 3, patience: Duration = .seconds(3600)) -> CallbackRole {
        CallbackRole(
            CallbackParts(
                store: store, queue: queue, poster: poster, key: WebhookKey(Array("key".utf8)),
                policy: CallbackPolicy(tries: tries, delay: .seconds(10), patience: patience), time: time))
    }

    /// Runs the role until something is so, while time goes on.
    func run(_ role: CallbackRole, until condition: @escaping () async throws -> Bool) async throws {
        let options = options(Callback.queue, prefetch: 64)
        try await run({ try await role.run(options, $0) }) {
            self.time.advance(by: .milliseconds(250))
            return try await condition()
        }
    }

    /// The dead letters of callbacks.
    func deadCallbacks() async throws -> [DeadMessage] {
        let pass = try await queue.pass(through: Callback.queue, .dead)
        var letters: [DeadMessage] = []
        while case let batch = try await pass.next(), !batch.isEmpty {
            letters += batch.map { DeadMessage(queue: Callback.queue, body: $0.body, headers: $0.headers) }
        }
        try await pass.close()
        return letters
    }

    func requeueCallbacks() async throws {
        let pass = try await queue.pass(through: Callback.queue, .dead)
        while case let batch = try await pass.next(), !batch.isEmpty {
            let letters = batch.map { delivery in
                let letter = DeadMessage(queue: Callback.queue, body: delivery.body, headers: delivery.headers)
                return (delivery.receipt, letter.requeued(at: time.now()))
            }
            _ = try await pass.replace(letters)
        }
        try await pass.close()
    }
}

@Suite("Callbacks")
struct CallbackTests {
    private let works = WebhookAnswer.answered(status: 204, retryAfter: nil)
    private let fails = WebhookAnswer.answered(status: 500, retryAfter: nil)

    @Test("are posted once the jobs of their own request are done, with what is known and the signature of it")
    func primary() async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            let (clip, blip, earlier) = (UUID(), UUID(), UUID())
            let callback = try await bench.promise(image, jobs: ["clip": clip, "blip": blip])
            let poster = ScriptedPoster(time: bench.time)
            // blip has answered before, and was asked again.
            try await bench.answer("clip", image, clip)
            try await bench.answer("blip", image, earlier)
            let begun = bench.time.now()
            try await bench.run(bench.callbacks(poster)) {
                guard bench.time.now().timeIntervalSince(begun) > 60 else { return false }
                if poster.posts.isEmpty { try await bench.answer("blip", image, blip) }
                return try await bench.isEmpty(Callback.queue)
            }
            let post = try #require(poster.posts.first)
            #expect(poster.posts.count == 1 && post.at.timeIntervalSince(begun) > 60)
            let analysis = try await bench.store.analysis(of: image, expecting: ["blip", "clip"])
            #expect(post.body == analysis?.json.bytes)
            let json = try JSON(parsing: post.body)
            #expect(json["state"] == "complete" && json["results"]?.arrayValue?.count == 2)
            #expect(post.headers["webhook-id"] == callback.id.text)
            #expect(post.headers["webhook-timestamp"] == "\(Int(post.at.timeIntervalSince1970))")
            #expect(post.headers["webhook-signature"]?.hasPrefix("v1,") == true)
            #expect(try await bench.deadCallbacks().isEmpty)
        }
    }

    @Test("that wait for the consensus are posted when it rests on the newest rows")
    func consensus() async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            let job = UUID()
            try await bench.answer("clip", image, job)
            try await bench.promise(image, until: .consensus, jobs: ["clip": job])
            let poster = ScriptedPoster(time: bench.time)
            let begun = bench.time.now()
            try await bench.run(bench.callbacks(poster)) { bench.time.now().timeIntervalSince(begun) > 30 }
            #expect(poster.posts.isEmpty)
            try await bench.trigger(.consensus, [image])
            try await bench.run(PostProcessing.consensus.queue, bench.consensusRole.run)
            try await bench.run(bench.callbacks(poster)) { try await bench.isEmpty(Callback.queue) }
            #expect(try JSON(parsing: #require(poster.posts.first).body)["consensus"]?.isNull == false)
        }
    }

    @Test("that a receiver does not take are posted again under the same id, later each time or when it says so")
    func retries() async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            let job = UUID()
            try await bench.answer("clip", image, job)
            let callback = try await bench.promise(image, jobs: ["clip": job])
            let poster = ScriptedPoster(
                [fails, .answered(status: 429, retryAfter: .seconds(300)), .failed("no answer"), works],
                time: bench.time)
            try await bench.run(bench.callbacks(poster, tries: 4)) { try await bench.isEmpty(Callback.queue) }
            let posts = poster.posts
            try #require(posts.count == 4)
            #expect(Set(posts.map { $0.headers["webhook-id"] }) == [callback.id.text])
            let waits = zip(posts.dropFirst(), posts).map { $0.at.timeIntervalSince($1.at) }
            #expect(waits[0] >= 5 && waits[1] >= 300 && waits[2] >= 20, "\(waits)")
            #expect(Set(posts.map { $0.headers["webhook-signature"] }).count == 4, "each has its own time")
            #expect(try await bench.deadCallbacks().isEmpty)
        }
    }

    @Test("end as dead letters when the tries are over, and are posted under the same id when they are requeued")
    func tooOften() async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            let job = UUID()
            try await bench.answer("clip", image, job)
            let callback = try await bench.promise(image, to: "http://hooks/a?token=s3cret", jobs: ["clip": job])
            let poster = ScriptedPoster([fails, fails, fails, fails, works], time: bench.time)
            let activity = bench.callbacks(poster, tries: 2)
            for round in 1...2 {
                try await bench.run(activity) { try await bench.isEmpty(Callback.queue) }
                let letters = try await bench.deadCallbacks()
                #expect(letters.map(\.reason) == ["receiver_failed"])
                #expect(letters.map(\.message) == ["hooks answered 500"])
                #expect(letters.map(\.tries) == [2] && letters.first?.history.count == round - 1)
                #expect(poster.posts.count == 2 * round, "counted anew")
                try await bench.requeueCallbacks()
            }
            try await bench.run(activity) { try await bench.isEmpty(Callback.queue) }
            #expect(poster.posts.count == 5)
            #expect(Set(poster.posts.map { $0.headers["webhook-id"] }) == [callback.id.text])
        }
    }

    @Test(
        "that are not wanted, may not be sent, or say nothing end at once",
        arguments: [
            (.answered(status: 410, retryAfter: nil), "receiver_gone"),
            (.refused("it is private"), "address_refused"),
        ] as [(WebhookAnswer, String)])
    func final(answer: WebhookAnswer, reason: String) async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            let job = UUID()
            try await bench.answer("clip", image, job)
            try await bench.promise(image, jobs: ["clip": job])
            try await bench.promise(image + 1, jobs: ["clip": UUID()])
            try await bench.queue.publish([Message(queue: Callback.queue, body: Array(#"{"image_id":1}"#.utf8))])
            let poster = ScriptedPoster([answer], time: bench.time)
            try await bench.run(bench.callbacks(poster)) { try await bench.isEmpty(Callback.queue) }
            #expect(poster.posts.count == 1)
            let reasons = try await bench.deadCallbacks().map(\.reason).sorted()
            #expect(reasons == [reason, "bad_message", "unknown_image"].sorted())
        }
    }

    @Test("whose image is never done end as dead letters that name what is missing; requeued, they wait anew")
    func neverDone() async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            let (clip, blip) = (UUID(), UUID())
            try await bench.answer("clip", image, clip)
            try await bench.promise(image, jobs: ["clip": clip, "blip": blip])
            let poster = ScriptedPoster(time: bench.time)
            let role = bench.callbacks(poster, patience: .seconds(600))
            let begun = bench.time.now()
            try await bench.run(role) { try await bench.isEmpty(Callback.queue) }
            #expect(bench.time.now().timeIntervalSince(begun) >= 600 && poster.posts.isEmpty)
            let letter = try #require(try await bench.deadCallbacks().first)
            #expect(letter.reason == "image_not_done" && letter.imageID == image && letter.jobID == nil)
            #expect(letter.message.hasSuffix("(WEBHOOK_WAIT), missing: blip"), "\(letter.message)")
            try await bench.requeueCallbacks()
            let requeued = bench.time.now()
            try await bench.run(role) { bench.time.now().timeIntervalSince(requeued) > 300 }
            #expect(try await bench.deadCallbacks().isEmpty)
            try await bench.answer("blip", image, blip)
            try await bench.run(role) { try await bench.isEmpty(Callback.queue) }
            #expect(poster.posts.count == 1)
        }
    }

    @Test("to a host that does not answer keep no others waiting, however many they are")
    func slowHost() async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            let job = UUID()
            try await bench.answer("clip", image, job)
            for number in 1...30 { try await bench.promise(image, to: "http://slow/\(number)", jobs: ["clip": job]) }
            for number in 1...30 { try await bench.promise(image, to: "http://fast/\(number)", jobs: ["clip": job]) }
            let hold = Drain()
            let poster = ScriptedPoster(time: bench.time, hold: ("slow", hold))
            try await bench.run(bench.callbacks(poster)) {
                if Set(poster.posts.filter { $0.url.hasPrefix("http://fast/") }.map(\.url)).count == 30 { hold.begin() }
                return try await bench.isEmpty(Callback.queue)
            }
            #expect(poster.most(to: "slow") == 4 && poster.most(to: "fast") <= 4)
            #expect(Set(poster.posts.map(\.url)).count == 60 && poster.posts.count == 60)
        }
    }

    @Test("that wait longer than the queue holds give their places to others, and none is lost")
    func crowd() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(200)
            let jobs = images.map { _ in UUID() }
            for (image, job) in zip(images, jobs) { try await bench.promise(image, jobs: ["clip": job]) }
            // The last one that would be taken is done first.
            try await bench.answer("clip", images[199], jobs[199])
            let poster = ScriptedPoster(time: bench.time)
            try await bench.run(bench.callbacks(poster)) { poster.posts.count == 1 }
            #expect(try JSON(parsing: #require(poster.posts.first).body)["image_id"]?.integerValue == images[199])
            for (image, job) in zip(images, jobs).prefix(199) { try await bench.answer("clip", image, job) }
            try await bench.run(bench.callbacks(poster)) { try await bench.isEmpty(Callback.queue) }
            let told = try poster.posts.compactMap { try JSON(parsing: $0.body)["image_id"]?.integerValue }
            #expect(told.sorted() == images)
        }
    }

    @Test("are posted while they are not paused, and are back in the queue at once when it ends")
    func paused() async throws {
        try await Bench.with { bench in
            let image = try await bench.addImages(1)[0]
            let job = UUID()
            try await bench.promise(image, jobs: ["clip": job])
            let poster = ScriptedPoster(time: bench.time)
            var options = bench.options(Callback.queue, prefetch: 64)
            let watch = bench.watch()
            options.control = watch.gate(for: Callback.service)
            let (role, control) = (bench.callbacks(poster), options.control)
            let running = options
            try await bench.run({ try await role.run(running, $0) }, under: watch) {
                try await bench.moving { try await bench.depth(Callback.queue).inFlight == 1 }
                try await bench.set(Callback.service) { control, _ in control.isPaused = true }
                try await bench.moving { control.isPaused }
                try await bench.answer("clip", image, job)
                try await bench.moving { try await bench.depth(Callback.queue).inFlight == 0 }
                #expect(poster.posts.isEmpty)
                try await bench.set(Callback.service) { control, _ in control.isPaused = false }
                try await bench.moving { try await bench.isEmpty(Callback.queue) }
                #expect(poster.posts.count == 1)
            }
        }
    }
}
