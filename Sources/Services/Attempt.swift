import Foundation
import Model
import Pipeline

/// What follows from a try of a call.
enum CallVerdict {
    case answered(Answer)
    case failed(CallFault)
    case again(CallFault, retryAfter: Duration?)
    /// The job goes back to the queue. If there is a fault, the try counts all the same.
    case back(String, counting: CallFault?)
}

/// A try of a call that has ended, as events and traces tell of it.
struct Attempt {
    let request: HTTPRequest
    let began: Date
    let ended: Date
    let result: Result<HTTPResponse, HTTPFault>
    let verdict: CallVerdict

    /// For heartbeats and metrics.
    var call: ServiceCall {
        let response = try? result.get()
        var call = ServiceCall(
            outcome: "unavailable", seconds: max(0, ended.timeIntervalSince(began)), bytes: response?.body.count,
            status: response?.status)
        switch verdict {
        case .answered(let answer): (call.outcome, call.reported) = ("success", answer.reported)
        case .failed(let fault), .again(let fault, _), .back(_, let fault?): call.outcome = fault.kind.rawValue
        case .back(_, nil): break
        }
        return call
    }

    /// The span of the try, by OpenTelemetry's conventions for HTTP clients.
    func span(_ trace: TraceContext, of endpoint: ServiceEndpoint) -> Span {
        let method = request.content == nil ? "GET" : "POST"
        var span = Span(method, .client, trace, parent: Tracer.current, began: began, ended: ended)
        span.attributes = [
            ("http.request.method", .text(method)), ("server.address", .text(endpoint.host)),
            ("server.port", .number(endpoint.port)), ("url.full", .text(String(request.url.prefix { $0 != "?" }))),
            ("farm.service", .text(endpoint.name)),
        ]
        let status = (try? result.get())?.status
        if let status { span.attributes.append(("http.response.status_code", .number(status))) }
        switch verdict {
        case .answered: break
        case .failed(let fault), .again(let fault, _), .back(_, let fault?):
            span.failure = fault.message
            span.attributes.append(("error.type", .text(fault.kind.rawValue)))
        case .back(let reason, nil): span.failure = reason
        }
        return span
    }
}
