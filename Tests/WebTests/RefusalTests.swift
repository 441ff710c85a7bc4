import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import Web

@Suite("What is said to whom is refused")
struct RefusalTests {
    private func refusal(
        _ kind: Problem.Kind, path: String = "/images/7", accept: String? = "text/html,*/*;q=0.8",
        access: Access = .act(isOpen: true)
    ) -> Response {
        var headers: HTTPFields = [:]
        headers[.accept] = accept
        let head = HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: path, headerFields: headers)
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        return .refusal(request, kind, "there is no <b>", access: access)
    }

    @Test("a page for browsers of who may read; a problem document for programs; else a line")
    func forms() {
        #expect(refusal(.notFound).headers[.contentType] == "text/html; charset=utf-8")
        #expect(refusal(.notFound).status == .notFound)
        #expect(refusal(.notFound, accept: "*/*").headers[.contentType] == "text/plain; charset=utf-8")
        #expect(refusal(.notFound, accept: nil).headers[.contentType] == "text/plain; charset=utf-8")
        // Where there are no pages, as on the server of metrics, nobody may read any.
        #expect(refusal(.notFound, access: .none).headers[.contentType] == "text/plain; charset=utf-8")
        #expect(refusal(.tokenNeeded, access: .none).headers[.contentType] == "text/html; charset=utf-8")
        #expect(refusal(.notFound, path: "/api/v1/x").headers[.contentType] == "application/problem+json")
    }
}
