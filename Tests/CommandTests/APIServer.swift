import Foundation
import FoundationNetworking
import Model
import Testing

/// What was answered.
struct APIAnswer {
    var status: Int
    var type: String
    var headers: HTTPURLResponse
    var body: JSON

    /// The last part of a problem's type.
    var problem: String? {
        type == "application/problem+json"
            ? body["type"]?.stringValue?.split(separator: ":").last.map(String.init) : nil
    }
}

/// A running `farm web`.
struct APIServer {
    let running: Running
    let port: Int

    static func start(
        _ workplace: Workplace, _ environment: [String: String] = [:], port: Int = 0
    ) async throws -> APIServer {
        let running = try workplace.start(["web", "--listen", "\(port)"], environment: environment)
        try await eventually("it says where the pages are") {
            running.error.contains("pages at") || !running.isRunning
        }
        let match = running.error.firstMatch(of: /pages at http:\/\/127\.0\.0\.1:([0-9]+)\//)
        return APIServer(running: running, port: try #require(match.flatMap { Int($0.1) }, "\(running.error)"))
    }

    func ask(
        _ method: String, _ path: String, _ body: JSON? = nil, headers: [String: String] = [:]
    ) async throws -> APIAnswer {
        var headers = headers
        if body != nil { headers["Content-Type"] = "application/json" }
        return try await ask(method, path, bytes: body.map { Data($0.bytes) }, headers: headers)
    }

    func ask(_ method: String, _ path: String, bytes: Data?, headers: [String: String]) async throws -> APIAnswer {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)/api/v1\(path)")))
        request.httpMethod = method
        request.httpBody = bytes
        request.timeoutInterval = 100
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        let type = http.value(forHTTPHeaderField: "Content-Type") ?? ""
        let isJSON = type.hasSuffix("json") && !data.isEmpty
        return APIAnswer(
            status: http.statusCode, type: type, headers: http, body: isJSON ? try JSON(parsing: data) : .null)
    }
}
