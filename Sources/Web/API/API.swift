import HTTPTypes
import Hummingbird
import Logging
import Model
import NIOHTTP1
import Operations
import Pipeline
import Waiting

/// The API for programs, under `/api/v1` (spec section 12). It has no logic of its own: it reads requests, calls use
/// cases and writes their answers.
package struct API: Sendable {
    let board: FarmBoard
    let parts: any ReadingParts
    /// The store that is written.
    let store: @Sendable () async throws -> Store
    let services: ServiceDirectory
    /// The services that every image is sent to.
    let expected: [String]
    let cropper: any ImageCropper
    let photos: Photos?
    /// nil: uploads are off.
    let uploads: UploadFolder?
    /// Says why a URL takes no webhooks; nil: webhooks are off.
    let callbacks: (@Sendable (String) -> String?)?
    let waiters: ImageWaiters
    let time: any Timekeeper
    let log: Logger
    /// Shared with the pages.
    let turn: DeadTurn
    /// Shared with the pages.
    let streams = EventStreams()

    /// - Parameters:
    ///   - board: what the pages about the farm show.
    ///   - parts: what is read.
    ///   - store: the store that is written. It throws `PortFault` while it is out of reach.
    ///   - expected: the services that every image is sent to.
    ///   - cropper: looks at images that are handed in; it keeps to IMAGE_ROOT.
    ///   - photos: nil: none are served.
    ///   - uploads: where uploads are written to; nil: none are taken.
    ///   - callbacks: says why nothing is posted to a URL, as the end of a sentence, or nil if it may be used; nil: webhooks are
    ///     off.
    ///   - turn: of rounds through the dead letters.
    package init(
        board: FarmBoard, parts: any ReadingParts, store: @escaping @Sendable () async throws -> Store,
        services: ServiceDirectory, expected: [String],
        cropper: any ImageCropper, photos: Photos?, uploads: UploadFolder?,
        callbacks: (@Sendable (String) -> String?)?, turn: DeadTurn, time: any Timekeeper, log: Logger
    ) {
        self.turn = turn
        self.board = board
        self.parts = parts
        self.store = store
        self.services = services
        self.expected = expected
        self.cropper = cropper
        self.photos = photos
        self.uploads = uploads
        self.callbacks = callbacks
        self.time = time
        self.log = log
        waiters = ImageWaiters(parts, time: time)
    }

    /// Who acts, in the audit and in pauses.
    static let who = "api"

    /// A path with what answers there.
    struct Route: Sendable {
        /// After `/api/v1`, as the OpenAPI document has it.
        var path: String
        var handlers: [HTTPRequest.Method: Handler]
    }

    /// All of them; the document lists the same ones.
    var routes: [Route] {
        [Route(path: "/openapi.json", handlers: [.get: { _, _ in Asset.openAPI.response }])]
            + farmRoutes + imageRoutes + deadRoutes + controlRoutes
    }

    func add(to router: Router<Context>) {
        for route in routes {
            router.answer(RouterPath("/api/v1" + route.path), route.handlers.mapValues(problems))
        }
    }

    /// Turns whatever a handler throws into a problem document.
    private func problems(_ handler: @escaping Handler) -> Handler {
        { [log] request, context in
            do {
                return try await handler(request, context)
            } catch  where Problem.endsConnection(error) {
                throw error
            } catch {
                let problem = Problem(error)
                if problem.kind == .internalError { log.error("\(request.uri.path): \(error)") }
                return Response(problem)
            }
        }
    }
}

extension Problem {
    /// Whether nothing else can be read from the connection, so that the server below has the last word: what was sent is no
    /// HTTP, or the client has gone.
    static func endsConnection(_ error: any Error) -> Bool { error is HTTPParserError || error is CancellationError }

    /// What an error means to whoever asked.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let fault as Fields.Fault:
            self.init(.badRequest, "what was sent cannot be read: it holds \(fault.text)")
        case let fault as PortFault:
            self.init(fault.kind == .transient ? .unreachable : .internalError, fault.description)
        case let fault as OperationFault:
            switch fault.kind {
            case .missing: self.init(.notFound, fault.message)
            case .conflict: self.init(.conflict, fault.message)
            case .unusable: self.init(.badBody, fault.message)
            case .refused: self.init(.imageRefused, fault.message)
            case .failed: self.init(.internalError, fault.message)
            }
        case let taken as DeadTurn.Taken: self.init(.busy, taken.description)
        case let error as HTTPError:
            let reason = error.status == .notFound ? "there is no such page" : error.status.reasonPhrase
            self.init(Kind(status: error.status), error.body ?? reason)
        // The server's own, such as a body that is too large.
        case let error as any HTTPResponseError:
            self.init(Kind(status: error.status), error.status.reasonPhrase)
        default: self.init(.internalError, "the server has failed; its log says more")
        }
    }
}
