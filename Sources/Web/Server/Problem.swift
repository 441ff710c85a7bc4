import HTTPTypes
import Hummingbird
import Model

/// Why a request of a program was not done, as a problem document (RFC 9457).
struct Problem: Error, Sendable {
    /// The kinds, which stay what they are: programs tell them apart by `type`.
    enum Kind: String, Sendable, CaseIterable {
        case badRequest = "bad-request"
        case badParameter = "bad-parameter"
        case tokenNeeded = "token-needed"
        case notAllowed = "not-allowed"
        case uploadsOff = "uploads-off"
        case webhooksOff = "webhooks-off"
        case notFound = "not-found"
        case methodNotAllowed = "method-not-allowed"
        case conflict
        case tooSlow = "too-slow"
        case tooLarge = "too-large"
        case wrongMediaType = "wrong-media-type"
        case wrongHost = "wrong-host"
        case badBody = "bad-body"
        case imageRefused = "image-refused"
        case internalError = "internal-error"
        case unknownMethod = "unknown-method"
        case unreachable
        case busy

        var status: HTTPResponse.Status {
            switch self {
            case .badRequest, .badParameter: .badRequest
            case .tokenNeeded: .unauthorized
            case .notAllowed, .uploadsOff, .webhooksOff: .forbidden
            case .notFound: .notFound
            case .methodNotAllowed: .methodNotAllowed
            case .conflict: .conflict
            case .tooSlow: .requestTimeout
            case .tooLarge: .contentTooLarge
            case .wrongMediaType: .unsupportedMediaType
            case .wrongHost: .misdirectedRequest
            case .badBody, .imageRefused: .unprocessableContent
            case .internalError: .internalServerError
            case .unknownMethod: .notImplemented
            case .unreachable, .busy: .serviceUnavailable
            }
        }

        fileprivate var title: String {
            switch self {
            case .badRequest: "The request cannot be read"
            case .badParameter: "A parameter cannot be used"
            case .tokenNeeded: "A token is needed"
            case .notAllowed: "This is not allowed"
            case .uploadsOff: "Uploads are turned off"
            case .webhooksOff: "Webhooks are turned off"
            case .notFound: "There is no such thing"
            case .methodNotAllowed: "This method is not answered here"
            case .conflict: "Somebody else has changed it"
            case .tooSlow: "The body did not come in time"
            case .tooLarge: "The body is too large"
            case .wrongMediaType: "The body is of a type that is not read here"
            case .wrongHost: "This is not the host that was asked for"
            case .badBody: "The body cannot be used"
            case .imageRefused: "The image was refused"
            case .internalError: "It failed"
            case .unknownMethod: "There is no such method"
            case .unreachable: "The database or the queue cannot be reached"
            case .busy: "Too much is being done at the moment"
            }
        }

        /// A kind for an error of the server itself.
        init(status: HTTPResponse.Status) {
            self = Kind.allCases.first { $0.status == status } ?? (status.code < 500 ? .badRequest : .internalError)
        }
    }

    let kind: Kind
    /// One line for people.
    let detail: String
    /// The parameter or member that is to be mended, if it is one.
    let parameter: String?

    /// - Parameter detail: what steers a terminal in it is shown as an escape.
    init(_ kind: Kind, _ detail: String, parameter: String? = nil) {
        self.kind = kind
        self.detail = detail.escapingSteering()
        self.parameter = parameter?.escapingSteering()
    }

    var json: JSON {
        let members = [
            JSON.Member("type", .string("urn:farm:problem:" + kind.rawValue)),
            JSON.Member("title", .string(kind.title)),
            JSON.Member("status", .int(Int64(kind.status.code))), JSON.Member("detail", .string(detail)),
        ]
        return .object(members + (parameter.map { [JSON.Member("parameter", .string($0))] } ?? []))
    }
}

extension Response {
    /// A problem document.
    init(_ problem: Problem, _ headers: HTTPFields = [:]) {
        var headers = headers
        switch problem.kind {
        case .tokenNeeded: headers[.wwwAuthenticate] = "Bearer realm=\"farm\""
        // What was sent may be on its way still: nobody reads the rest.
        case .tooLarge, .uploadsOff: headers[.connection] = "close"
        case .unreachable, .busy: headers[.retryAfter] = "5"
        default: break
        }
        self.init(problem.json.text, "application/problem+json", problem.kind.status, headers)
    }

    /// JSON.
    init(_ json: JSON, _ status: HTTPResponse.Status = .ok, _ headers: HTTPFields = [:]) {
        self.init(json.text, "application/json", status, headers)
    }

    /// Refuses a request: by a problem document where programs ask, by a page where a browser asks for one of somebody who may
    /// read, or is to log in, else by a line of text.
    /// - Parameter access: of who asks; none where there are no pages.
    static func refusal(
        _ request: Request, _ kind: Problem.Kind, _ text: String, _ headers: HTTPFields = [:], access: Access = .none
    ) -> Response {
        if Routes.isOfAPI(request) { return Response(Problem(kind, text), headers) }
        var headers = headers
        if kind == .tokenNeeded { headers[.wwwAuthenticate] = "Bearer realm=\"farm\"" }
        guard request.headers[.accept]?.contains("text/html") ?? false, access.mayRead || kind == .tokenNeeded else {
            return Response(plain: text + "\n", kind.status, headers)
        }
        return Response(Page(refusing: kind, text, of: request, access), kind.status, headers)
    }
}

extension Page {
    /// Says why a request was refused.
    fileprivate init(refusing kind: Problem.Kind, _ text: String, of request: Request, _ access: Access) {
        let depth = max(0, request.uri.path.utf8.count { $0 == UInt8(ascii: "/") } - 1)
        let root = String(repeating: "../", count: depth)
        let login: HTML? = kind == .tokenNeeded ? "<p><a href=\"\(attribute: root)login\">Log in</a></p>" : nil
        self.init(
            title: kind.title, depth: depth, access: access,
            content: "<h1>\(kind.title)</h1><p class=\"fault\">\(text)</p>\(login)")
    }
}
