import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Model
import NIOCore
import Operations
import Pictures
import Pipeline
import Synchronization
import Telemetry
import Testing
import Waiting

@testable import Web

/// A test double of queue and store that are out of reach.
struct AwayParts: ReadingParts {
    private var fault: PortFault { PortFault(.transient, place: "the test", message: "it is away") }

    func queue() async throws -> Queue { throw fault }
    func store() async throws -> Store { throw fault }
}

/// No picture can be read.
private struct NoPictures: ImageCropper {
    func inspect(_ picture: PictureSource) async throws(PictureFault) -> PictureHeader {
        throw PictureFault(.image, "no picture")
    }

    func crop(_ picture: PictureSource, to boxes: [Box], quality: Int) async throws(PictureFault) -> Crops {
        throw PictureFault(.image, "no picture")
    }
}

@Suite("The API without a database", .timeLimit(.minutes(2)))
struct APIWithoutStoreTests {
    private func api(uploads: UploadFolder? = nil) -> API {
        let (parts, services) = (AwayParts(), ServiceDirectory(configured: [], catalogue: []))
        let board = FarmBoard(time: SystemTime()) {
            await FarmView(parts, services, readsReplica: false) { nil }
        }
        return API(
            board: board, parts: parts, store: { try await parts.store() }, services: services, expected: ["clip"],
            cropper: NoPictures(), photos: nil,
            uploads: uploads, callbacks: nil, turn: DeadTurn(time: SystemTime()), time: SystemTime(),
            log: WebServerTests.log)
    }

    @Test("answers the requests of its OpenAPI document, and no others")
    func document() throws {
        let document = try JSON(parsing: Asset.openAPI.bytes)
        let listed = (document["paths"]?.objectValue ?? []).flatMap { path in
            (path.value.objectValue ?? []).map { "\($0.key) \(path.key)" }
        }
        let answered = api().routes.flatMap { route in
            route.handlers.keys.map { "\($0.rawValue.lowercased()) \(route.path)" }
        }
        #expect(Set(listed) == Set(answered))
        #expect(listed.count == Set(listed).count && answered.count == Set(answered).count)
    }

    @Test("an upload that is too large is refused by its length, or as soon as too much has come, and nothing is left")
    func tooLarge() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "farm-web-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let api = api(uploads: UploadFolder(folder, cropper: NoPictures()))
        func refusal(_ length: Int?, _ body: RequestBody) async -> Problem.Kind? {
            var headers: HTTPFields = [:]
            headers[.contentLength] = length.map { String($0) }
            let head = HTTPRequest(
                method: .post, scheme: "http", authority: "localhost", path: "/api/v1/images", headerFields: headers)
            do {
                _ = try await api.upload(Request(head: head, body: body), "XX")
                return nil
            } catch { return (error as? Problem)?.kind }
        }
        #expect(await refusal(65 << 20, RequestBody(buffer: ByteBuffer())) == .tooLarge)
        #expect(!FileManager.default.fileExists(atPath: folder), "nothing was begun")
        let sent = Mutex(0)
        let chunks = AsyncStream<ByteBuffer>(unfolding: {
            let number = sent.withLock { sent in
                sent += 1
                return sent
            }
            guard number > 1 else {
                return ByteBuffer(string: "--XX\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n")
            }
            return number < 5 ? ByteBuffer(repeating: 0, count: 65 << 20) : nil
        })
        #expect(await refusal(nil, RequestBody(asyncSequence: chunks)) == .tooLarge)
        #expect(sent.withLock { $0 } == 2, "the rest is not read")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    @Test("a store that is away is a problem that passes")
    func away() {
        for fault in [PortFault(.transient, place: "a", message: "b"), PortFault(.unusable, place: "a", message: "b")] {
            let problem = Problem(fault)
            #expect(problem.kind == (fault.kind == .transient ? .unreachable : .internalError))
            #expect(problem.json["status"]?.integerValue == (fault.kind == .transient ? 503 : 500))
        }
        #expect(Problem(CocoaError(.fileNoSuchFile)).json["detail"] == "the server has failed; its log says more")
    }

    @Test("waiters are bounded, and end when their time is over although the store is away")
    func waiters() async {
        let waiters = ImageWaiters(AwayParts(), time: SystemTime(), limit: 1)
        async let first = waiters.wait(for: 1, services: ["clip"], goal: .primary, upTo: .seconds(1))
        while await waiters.count == 0 { await Task.yield() }
        #expect(await waiters.wait(for: 1, services: [], goal: .primary, upTo: .seconds(1)) == .refused)
        let ended = await first
        #expect(ended == .timedOut)
        // A client that has gone holds no place.
        let gone = Task { await waiters.wait(for: 1, services: ["clip"], goal: .primary, upTo: .seconds(600)) }
        while await waiters.count == 0 { await Task.yield() }
        gone.cancel()
        #expect(await gone.value == .timedOut)
        #expect(await waiters.count == 0)
    }

    @Test(
        "preferences are read as RFC 7240 writes them",
        arguments: [
            ("wait=10", 10), ("respond-async, wait=5", 5), ("Wait = \"7\"", 7), ("wait=100", 60), ("wait", nil),
            ("wait=-1", nil), ("wait=x", nil), ("handling=lenient", nil),
        ] as [(String, Int?)])
    func preferences(text: String, seconds: Int?) {
        #expect(API.preferredWait([.prefer: text]) == seconds)
    }
}
