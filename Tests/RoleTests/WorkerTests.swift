import Doubles
import Foundation
import Model
import Pipeline
import Roles
import Testing

@Suite("A worker")
struct WorkerTests {
    private let dog: JSON = .object(["label": "dog", "emoji": "🐶", "confidence": 0.9])

    @Test("stores each answer once and triggers the consensus")
    func storesAnswers() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(20)
            try await bench.submit("clip", images)
            let clip = ScriptedService("clip", predictions: [dog])
            try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip").run)

            #expect(clip.calls.count == 20)
            for image in images {
                let results = try await bench.report(image).findings.results
                #expect(results.map(\.service) == ["clip"])
                #expect(results.first?.status == .success)
                #expect(results.first?.data["predictions"]?.arrayValue == [dog])
            }
            let triggers = try await bench.drainedTriggers(.consensus)
            #expect(triggers.map(\.imageID).sorted() == images)
            #expect(triggers.allSatisfy { $0.service == "clip" })
            #expect(try await bench.depth("queue_clip").dead == 0)
        }
    }

    @Test("of a detector triggers the merger")
    func triggersMerger() async throws {
        try await Bench.with { bench in
            try await bench.submit("yolov8", try await bench.addImages(1))
            let service = ScriptedService("yolov8", predictions: [])
            try await bench.run("queue_yolov8", bench.stage(bench.worker(service, isDetector: true), "yolov8").run)
            #expect(try await bench.drainedTriggers(.merger).count == 1)
            #expect(try await bench.drainedTriggers(.consensus).isEmpty)
        }
    }

    @Test("leaves an error row, a trigger and a dead letter of a job that fails for good, and goes on")
    func failsForGood() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(3)
            try await bench.submit("clip", images)
            let clip = ScriptedService("clip") { [dog] subject, _ in
                guard subject == .file(path: "/photos/2.jpg") else { return .answered(.of("clip", [dog])) }
                return .failed(
                    AnalysisFailure(
                        kind: .http, message: "clip answered 400", httpStatus: 400, tries: 1,
                        firstFailure: Date(timeIntervalSince1970: 1), seconds: 2.5))
            }
            try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip").run)

            let bad = try await bench.report(images[1]).findings.results
            #expect(bad.count == 1)
            #expect(bad.first?.status == .error)
            #expect(bad.first?.processingTime == 2.5, "the call's seconds")
            let error = bad.first?.data["error"]
            #expect(error?["kind"] == "http")
            #expect(error?["http_status"] == 400)
            #expect(error?["tries"] == 1)
            #expect(try await bench.depth("queue_clip").dead == 1)
            #expect(try await bench.drainedTriggers(.consensus).count == 3)
        }
    }

    @Test("buries what is no job with its reason, writes no row, and does the good ones behind it")
    func buriesPoison() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(2)
            let bodies = [
                "not JSON", "[]", "{}", #"{"image_id": "1"}"#, #"{"image_id": 999}"#, #"{"image_id": 1.5}"#, "\u{0}",
            ]
            try await bench.queue.publish(bodies.map { Message(queue: "queue_clip", body: Array($0.utf8)) })
            try await bench.submit("clip", images)
            let clip = ScriptedService("clip", predictions: [dog])
            try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip", prefetch: 2).run)

            #expect(try await bench.depth("queue_clip").dead == bodies.count)
            #expect(clip.calls.count == 2)
            #expect(try await bench.store.totals().results == 2)
        }
    }

    @Test("buries a job of another picture than the image's: a restored database gives its ids anew")
    func otherPicture() async throws {
        try await Bench.with { bench in
            _ = try await bench.addImages(2)
            func job(_ filename: String?, _ path: String?, _ url: String?) -> Message {
                let image = Image(id: 1, filename: filename, path: path, url: url)
                let job = Job(image: image, service: "clip", queue: "queue_clip", now: Date(timeIntervalSince1970: 1))
                return Message(queue: "queue_clip", body: job.body)
            }
            let others = [job("cat.jpg", "/photos/cat.jpg", nil), job(nil, nil, "http://host/cat.jpg?size=1.jpg")]
            // Moved, or known by less.
            let same = [
                job("1.jpg", "/elsewhere/1.jpg", nil), job(nil, nil, "http://host/1.jpg"), job("", nil, nil),
                job(nil, nil, nil),
                job("cat.jpg", "/photos/1.jpg", nil),
            ]
            try await bench.queue.publish(others + same)
            let clip = ScriptedService("clip", predictions: [dog])
            try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip").run)

            #expect(clip.calls.count == same.count)
            #expect(try await bench.store.totals().results == same.count)
            #expect(try await bench.depth("queue_clip").dead == others.count)
        }
    }

    @Test("does not call again for a redelivered job that has its row, but makes its trigger again")
    func redelivered() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(1)
            let job = UUID()
            try await bench.submit("clip", images, jobID: job)
            let clip = ScriptedService("clip", predictions: [dog])
            try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip").run)
            _ = try await bench.drainedTriggers(.consensus)

            try await bench.submit("clip", images, jobID: job)
            try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip").run)
            #expect(clip.calls.count == 1)
            #expect(try await bench.store.totals().results == 1)
            #expect(try await bench.drainedTriggers(.consensus).count == 1)
        }
    }

    @Test("goes by the row of another worker that was faster, whatever it has heard itself", arguments: [true, false])
    func slowerWorker(answers: Bool) async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(1)
            let job = UUID()
            try await bench.submit("clip", images, jobID: job)
            let failure = AnalysisFailure(
                kind: .http, message: "clip answered 500", httpStatus: 500, tries: 3, firstFailure: bench.time.now())
            let sound = Answer.of("clip", [dog])
            let clip = ScriptedService("clip") { [store = bench.store] _, _ in
                let row = AnalysisResult(
                    imageID: images[0], service: "clip", data: answers ? failure.json.bytes : sound.body,
                    status: answers ? .error : .success, processingTime: 1, workerID: "faster", jobID: job)
                _ = try? await store.record([row])
                return answers ? .answered(sound) : .failed(failure)
            }
            try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip").run)
            #expect(try await bench.report(images[0]).findings.results.map(\.status) == [answers ? .error : .success])
            #expect(try await bench.depth("queue_clip").dead == (answers ? 1 : 0), "dead exactly if the row says so")
            #expect(try await bench.drainedTriggers(.consensus).count == 1)
        }
    }

    @Test("takes the same job twice in one batch for one")
    func twiceInOneBatch() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(1)
            let job = UUID()
            for _ in 0..<3 { try await bench.submit("clip", images, jobID: job) }
            let clip = ScriptedService("clip", predictions: [dog])
            try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip").run)
            #expect(clip.calls.count == 1)
            #expect(try await bench.store.totals().results == 1)
        }
    }

    @Test("takes a foreign program's message without job_id, and equal bytes for the same job")
    func foreignMessage() async throws {
        try await Bench.with { bench in
            try await bench.addImages(1)
            let body = Array(#"{"unknown": [1], "image_filename": "1.jpg", "image_id": 1}"#.utf8)
            let clip = ScriptedService("clip", predictions: [dog])
            for _ in 0..<2 {
                try await bench.queue.publish([Message(queue: "queue_clip", body: body)])
                try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip").run)
            }
            #expect(try await bench.store.totals().results == 1)
            #expect(clip.calls == [.file(path: "/photos/1.jpg")])
        }
    }

    @Test("gives jobs back while the service is down, counts nothing, and does them when it is up")
    func outage() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(5)
            try await bench.submit("clip", images)
            let clip = ScriptedService("clip", predictions: [dog])
            clip.setOutage("connection refused")
            try await bench.run(bench.stage(bench.worker(clip), "clip").run) {
                if await clip.outage() != nil, try await bench.depth("queue_clip").waiting == 5 { clip.setOutage(nil) }
                return try await bench.isEmpty("queue_clip")
            }
            #expect(try await bench.store.totals().results == 5)
            #expect(try await bench.depth("queue_clip").dead == 0)
        }
    }

    @Test("buries a job over which five processes died, with a row that says so")
    func crashingJob() async throws {
        try await Bench.with { bench in
            let images = try await bench.addImages(1)
            let job = UUID()
            // What five processes that died have left behind.
            for process in 1...5 {
                let key = JobKey(imageID: images[0], jobID: job, redelivered: true)
                _ = try await bench.store.standing(of: [key], workerID: "dead_\(process)")
            }
            try await bench.submit("clip", images, jobID: job)
            let consumer = try await bench.queue.consume("queue_clip", prefetch: 1)
            let first = try await consumer.next(upTo: 1)
            try await consumer.giveBack(first.map(\.receipt), after: .zero)
            await consumer.close()

            let clip = ScriptedService("clip", predictions: [dog])
            try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip").run)
            #expect(clip.calls.isEmpty)
            let result = try await bench.report(images[0]).findings.results.first
            #expect(result?.data["error"]?["kind"] == "crashed_worker")
            #expect(try await bench.depth("queue_clip").dead == 1)
        }
    }

    @Test("refuses a file that is no image without calling the service")
    func unreadableFile() async throws {
        try await Bench.with(unreadable: ["/photos/1.jpg"]) { bench in
            let images = try await bench.addImages(1)
            try await bench.submit("clip", images)
            let clip = ScriptedService("clip", predictions: [dog])
            try await bench.run("queue_clip", bench.stage(bench.worker(clip), "clip").run)
            #expect(clip.calls.isEmpty)
            #expect(try await bench.report(images[0]).findings.results.first?.data["error"]?["kind"] == "image")
        }
    }

    @Test(
        "reaches the picture as its transport says",
        arguments: [
            (Transport.auto, AnalysisSubject.url("http://nas/1.jpg")), (.url, .url("http://nas/1.jpg")),
            (.file, .file(path: "/photos/1.jpg")),
        ])
    func transport(_ transport: Transport, _ expected: AnalysisSubject) async throws {
        try await Bench.with { bench in
            let ids = try await bench.store.add(
                [NewImage(filename: "1.jpg", path: "/photos/1.jpg", url: "http://nas/1.jpg")], move: false
            ).ids
            try await bench.submit("clip", ids)
            let clip = ScriptedService("clip", predictions: [])
            let worker = bench.worker(clip, transport: transport)
            try await bench.run("queue_clip", bench.stage(worker, "clip").run)
            #expect(clip.calls == [expected])
        }
    }

    @Test(
        "posts what its service does not read as JPEG, and hands on a URL as it is",
        arguments: [PictureFormat.heif, .tiff, .bmp, .avif, .png, .webp, .gif, .jpeg])
    func accepts(_ format: PictureFormat) async throws {
        let path = "/photos/1.IMG"
        let image = NewImage(filename: "1.IMG", path: path, url: "http://nas/1.IMG")
        let asIs = AnalysisSubject.file(path: path)
        let asJPEG = AnalysisSubject.picture(jpeg: Array("0.0,0.0".utf8), filename: "1.jpg")
        let cases: [(accepts: Set<PictureFormat>, transport: Transport, expected: AnalysisSubject)] = [
            (PictureFormat.common, .file, PictureFormat.common.contains(format) ? asIs : asJPEG),
            (Set(PictureFormat.allCases), .file, asIs), ([.jpeg], .file, format == .jpeg ? asIs : asJPEG),
            ([.jpeg], .auto, .url("http://nas/1.IMG")),
        ]
        for (accepts, transport, expected) in cases {
            try await Bench.with { bench in
                let ids = try await bench.store.add([image], move: false).ids
                try await bench.submit("clip", ids)
                let clip = ScriptedService("clip", predictions: [])
                let loader = bench.loader(PaperCropper(formats: [path: format]))
                let worker = bench.worker(clip, transport: transport, accepts: accepts, pictures: loader)
                try await bench.run("queue_clip", bench.stage(worker, "clip").run)
                #expect(clip.calls == [expected])
            }
        }
    }

    @Test("answers for a picture that does not become a JPEG by an error row, without a call")
    func noJPEG() async throws {
        try await Bench.with { bench in
            let ids = try await bench.addImages(1)
            try await bench.submit("clip", ids)
            let clip = ScriptedService("clip", predictions: [])
            let loader = bench.loader(PaperCropper(formats: ["/photos/1.jpg": .tiff], widest: 1000))
            try await bench.run("queue_clip", bench.stage(bench.worker(clip, pictures: loader), "clip").run)
            #expect(clip.calls.isEmpty)
            let error = try await bench.report(ids[0]).findings.results.first?.data["error"]
            #expect(error?["kind"] == "image")
            #expect(error?["message"] == "/photos/1.jpg: too wide")
        }
    }
}
