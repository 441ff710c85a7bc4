import Testing

@testable import Web

@Suite("Multipart forms")
struct MultipartTests {
    private typealias Event = MultipartReader.Event

    /// All events, with the bytes of a part put together.
    private func read(_ text: String, boundary: String = "XX", by size: Int) throws -> (
        events: [Event], isComplete: Bool
    ) {
        var reader = MultipartReader(boundary: boundary)
        let bytes = Array(text.utf8)
        var events: [Event] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            for event in try reader.read(bytes[start..<min(start + size, bytes.count)]) {
                if case .bytes(let more) = event, case .bytes(let before)? = events.last {
                    events[events.count - 1] = .bytes(before + more)
                } else {
                    events.append(event)
                }
            }
        }
        return (events, reader.isComplete)
    }

    @Test("are read the same however they are cut", arguments: [1, 2, 3, 5, 7, 64, 10_000])
    func cuts(size: Int) throws {
        let text =
            "preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"group\"\r\n\r\nholiday\r\n"
            + "--XX \r\nContent-Type: image/jpeg\r\ncontent-disposition: form-data; name=file; "
            + "filename=\"a;\\\"b\\\".jpg\"\r\n\r\n\r\n--X\r\n--XYbytes\r\n\r\n"
            + "\r\n--XX\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--XX--\r\nepilogue --XX\r\n"
        let (events, isComplete) = try read(text, by: size)
        #expect(
            events == [
                .part(name: "group", filename: nil), .bytes(Array("holiday".utf8)),
                .part(name: "file", filename: "a;\"b\".jpg"), .bytes(Array("\r\n--X\r\n--XYbytes\r\n\r\n".utf8)),
                .part(name: "empty", filename: nil),
            ])
        #expect(isComplete)
    }

    @Test("that end before their last boundary are not complete")
    func torn() throws {
        let text = "--XX\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nabc"
        for length in 0...text.utf8.count {
            #expect(try !read(String(text.prefix(length)), by: 16).isComplete)
        }
    }

    @Test(
        "that nobody sends are refused",
        arguments: [
            "--XX\r\nContent-Type: text/plain\r\n\r\nabc", "--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n",
            "--XX\r\n\r\n\r\nabc", "--XXYY\r\n\r\n",
            "--XX\r\nX: " + String(repeating: "a", count: 5000),
            String(repeating: "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n", count: 21),
        ])
    func refused(text: String) { #expect(throws: MultipartReader.Fault.self) { try read(text, by: 100) } }

    @Test("name their boundary, or are none")
    func boundaries() {
        #expect(MultipartReader.boundary("multipart/form-data; boundary=abc") == "abc")
        #expect(MultipartReader.boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b;c\"") == "a b;c")
        for type in [nil, "application/json", "multipart/form-data", "multipart/mixed; boundary=a", "boundary=a"] {
            #expect(MultipartReader.boundary(type) == nil)
        }
        let long = String(repeating: "a", count: 71)
        #expect(MultipartReader.boundary("multipart/form-data; boundary=\(long)") == nil)
    }
}
