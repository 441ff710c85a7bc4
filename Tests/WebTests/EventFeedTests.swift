import Doubles
import HTTPTypes
import Hummingbird
import NIOCore
import Operations
import Synchronization
import Testing
import Waiting

@testable import Web

/// A test double of a connection whose reader notes what comes.
private struct NotingWriter: ResponseBodyWriter {
    let notes: Watched<[String]>

    func write(_ buffer: ByteBuffer) async throws { notes.change { $0.append(String(buffer: buffer)) } }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

@Suite("Events for readers of pages")
struct EventFeedTests {
    private let time = ManualTime()
    private let made = Watched(0)

    private func feed(limit: Int = 256) -> EventFeed {
        let board = FarmBoard(time: time) {
            await FarmView(AwayParts(), ServiceDirectory(configured: [], catalogue: []), readsReplica: false) { nil }
        }
        return EventFeed(of: board, in: EventStreams(limit: limit)) { [made] view in
            made.change { $0 += 1 }
            return "view \(view.revision)"
        }
    }

    /// Reads one more event, and leaves.
    private func read(_ feed: EventFeed) async throws -> String? {
        let notes = Watched<[String]>([])
        let answer = feed.answer()
        let reading = Task { try await answer.body.write(NotingWriter(notes: notes)) }
        let event = await notes.wait { $0.first }
        reading.cancel()
        _ = await reading.result
        return event
    }

    @Test("are made once for all who read at the same time")
    func shared() async throws {
        let feed = feed()
        let notes = (0..<20).map { _ in Watched<[String]>([]) }
        let readings = notes.map { notes in
            let answer = feed.answer()
            return Task { try await answer.body.write(NotingWriter(notes: notes)) }
        }
        for notes in notes { #expect(await notes.wait { $0.first } == "view 1") }
        #expect(made.read { $0 } == 1)
        // Whoever comes later is told at once what was told last.
        #expect(try await read(feed) == "view 1")
        #expect(made.read { $0 } == 1)
        readings.forEach { $0.cancel() }
        for reading in readings { _ = await reading.result }
    }

    @Test("begin again for readers who come after all have gone")
    func again() async throws {
        let feed = feed()
        #expect(try await read(feed) == "view 1")
        time.advance(by: .seconds(60))
        #expect(try await read(feed) == "view 2")
    }

    @Test("end for the oldest reader when there are too many")
    func limited() async throws {
        let feed = feed(limit: 1)
        let notes = Watched<[String]>([])
        let oldest = feed.answer()
        let reading = Task { try await oldest.body.write(NotingWriter(notes: notes)) }
        #expect(await notes.wait { $0.first } != nil)
        let next = feed.answer()
        // It ends by itself.
        try await reading.value
        let later = Watched<[String]>([])
        let other = Task { try await next.body.write(NotingWriter(notes: later)) }
        #expect(await later.wait { $0.first } == "view 1")
        other.cancel()
        _ = await other.result
    }
}
