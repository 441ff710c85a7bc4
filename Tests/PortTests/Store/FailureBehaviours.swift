import Foundation
import Model
import Pipeline
import Testing

@Suite("What has failed")
struct FailureBehaviours {
    private func error(_ kind: String, _ message: String = "", tries: Int = 0, status: Int? = nil) -> String {
        let status = status.map(String.init) ?? "null"
        return #"{"error":{"kind":"\#(kind)","message":"\#(message)","http_status":\#(status),"tries":\#(tries)}}"#
    }

    private func failed(_ image: ImageID, _ service: String, _ data: String) -> AnalysisResult {
        .of(image, service, data, status: .error)
    }

    @Test("is told by service and kind, with the first image; what failed before is not", arguments: storeBackends)
    func reports(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(3)
            try await base.store.record([failed(images[0], "clip", error("http", "old"))])
            try await base.store.record(images.map { .of($0, "yolov8") })
            for image in images { _ = try await base.update(image, BoxChanges(inserted: [.of("dog"), .of("cat")])) }
            func enrich(_ image: ImageID, _ message: String) async throws {
                let boxes = try await base.boxes(of: image).map(\.mergedID)
                let data = try JSON(parsing: error("image", message))
                let rows = boxes.map {
                    Enrichment(imageID: image, mergedID: $0, service: "colors", data: data, status: .error)
                }
                try await base.store.recordEnrichments(rows, missing: [], of: [image: boxes])
            }
            try await enrich(images[0], "old")
            try await base.advance(.seconds(10))
            let mark = try await base.store.failureMark()
            #expect(try await base.store.failures(since: mark).isEmpty)

            try await base.store.record([
                failed(images[2], "clip", error("image", "two")), failed(images[1], "clip", error("image", "one")),
                failed(images[1], "ocr", error("timeout", "slow")), .of(images[0], "ocr"),
                failed(images[2], "ocr", "{}"),
            ])
            for image in images.dropFirst().reversed() { try await enrich(image, "image \(image)") }
            let reports = try await base.store.failures(since: mark)
            func report(
                _ service: String, _ kind: String, _ count: Int, _ image: ImageID, _ message: String,
                boxes: Bool = false
            ) -> FailureReport {
                FailureReport(
                    service: service, isOfBoxes: boxes, kind: kind, count: count, imageID: image, message: message)
            }
            #expect(
                reports == [
                    report("clip", "image", 2, images[1], "one"), report("ocr", "", 1, images[2], ""),
                    report("ocr", "timeout", 1, images[1], "slow"),
                    report("colors", "image", 4, images[1], "image \(images[1])", boxes: true),
                ])
            let totals = try await base.store.totals()
            #expect((totals.postprocessing, totals.failedPostprocessing) == (6, 6))
        }
    }

    @Test("is settled when it would fail again, and only if it is the newest answer", arguments: roleStores)
    func settled(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let final = [
                error("service_error", tries: 1), error("bad_answer", tries: 1), error("too_large"),
                error("crashed_worker", tries: 5), error("refused", tries: 1), error("image"),
                error("http", tries: 1, status: 404),
            ]
            let passing = [
                error("timeout", tries: 3), error("connection", tries: 3), error("not_json", tries: 3),
                error("image", tries: 3), error("http", tries: 3, status: 429), error("http", tries: 3, status: 503),
                "{}", #"{"error":"another program's"}"#,
            ]
            let images = try await base.images(final.count + passing.count + 3)
            try await base.store.record(zip(images, final + passing).map { failed($0, "clip", $1) })
            let (mended, stale, bare) = (images[images.count - 3], images[images.count - 2], images[images.count - 1])
            try await base.store.record([.of(mended, "clip"), failed(mended, "clip", error("image"))])
            try await base.store.record([
                failed(stale, "clip", error("image")), failed(stale, "clip", error("timeout", tries: 3)),
            ])
            func lacking(_ rule: AnswerRule) async throws -> [ImageID] {
                let filter = ImageFilter(lacking: ["clip"], answers: rule)
                return try await base.store.images(filter, after: 0, limit: 100).map(\.image.id)
            }
            let open = Array(images[final.count..<final.count + passing.count]) + [stale, bare]
            #expect(try await lacking(.settled) == open)
            #expect(try await base.store.count(ImageFilter(lacking: ["clip"], answers: .settled)) == open.count)
            #expect(try await lacking(.success) == images.filter { $0 != mended })
            let newest = try await base.store.newestResultID()
            #expect(try await lacking(.settledOrNewer(than: newest)) == open)
            #expect(try await lacking(.settledOrNewer(than: 0)) == [bare])

            let lack = try await base.store.lack(of: ["clip"], in: nil, failed: false, limit: nil)
            #expect(lack == Lack(images: open.count, jobs: open.count, failed: ["clip": final.count]))
            let with = try await base.store.lack(of: ["clip"], in: nil, failed: true, limit: nil)
            #expect(with == Lack(images: images.count - 1, jobs: images.count - 1))

            let all = ["clip", "ocr"]
            #expect(try await base.store.finalErrors(ImageFilter(), of: all) == ["clip": final.count])
            #expect(try await base.store.finalErrors(ImageFilter(ids: [images[0], bare]), of: all) == ["clip": 1])
            #expect(try await base.store.finalErrors(ImageFilter(group: "none"), of: all).isEmpty)
        }
    }

    @Test("by what waits is named once", arguments: roleStores)
    func missing(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = try await base.images(2)
            try await base.store.record(images.map { .of($0, "yolov8") })
            for image in images {
                _ = try await base.update(image, BoxChanges(inserted: [.of("dog")]))
                let boxes = try await base.boxes(of: image).map(\.mergedID)
                let notes = ["colors", "pictures of http://nas:80"].map {
                    MissingEnrichment(imageID: image, mergedID: boxes[0], service: $0)
                }
                try await base.store.recordEnrichments([], missing: notes, of: [image: boxes])
            }
            #expect(
                try await base.store.servicesOfMissingEnrichments().sorted() == ["colors", "pictures of http://nas:80"])
        }
    }
}
