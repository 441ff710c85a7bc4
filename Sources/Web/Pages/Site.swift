import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Operations
import Pipeline
import Telemetry
import Waiting

/// The pages of one farm.
package struct Site: Sendable {
    /// What clients may use up of a server of pages.
    package static var limits: WebServer.Limits {
        var limits = WebServer.Limits()
        // Event streams and programs that wait for an image have 256 each; the others are always there.
        limits.connections = 768
        return limits
    }

    /// Who may do what.
    package struct Doors: Sendable {
        /// Who has it may read and act; nil where no token is needed, which is on loopback only.
        package var token: String?
        /// Who has it may read; nil where there is none.
        package var readToken: String?
        /// Names under which the server is reached, beside its own.
        package var allowedHosts: [String]

        package init(token: String? = nil, readToken: String? = nil, allowedHosts: [String] = []) {
            self.token = token
            self.readToken = readToken
            self.allowedHosts = allowedHosts
        }
    }

    let board: FarmBoard
    let gallery: Gallery
    let helm: Helm
    let acts = BackgroundActs()
    let quality: Remembered<QualityReport>
    let rules: AccessRules
    /// What programs ask.
    let api: API?
    /// Shared with the API.
    let streams: EventStreams

    /// - Parameters:
    ///   - board: what the pages about the farm show.
    ///   - gallery: what the pages about images show.
    ///   - helm: what the pages act by.
    ///   - api: what programs ask; nil: nothing.
    package init(board: FarmBoard, gallery: Gallery, helm: Helm, doors: Doors, time: any Timekeeper, api: API? = nil) {
        self.helm = helm
        self.board = board
        self.gallery = gallery
        quality = Remembered(for: 60, time: time) {
            try await Quality(store: try await gallery.store(), rules: gallery.rules).report()
        }
        self.api = api
        streams = api?.streams ?? EventStreams()
        rules = AccessRules(token: doors.token, readToken: doors.readToken)
    }

    /// Ends the acts that go on in the background after what is at hand, so that each writes down what it came to.
    package func finishActs() async { await acts.finish() }
}

extension WebServer {
    /// A server of the pages.
    package init(
        site: Site, doors: Site.Doors, metrics: FarmMetrics, host: String, port: Int,
        limits: Limits = Site.limits, log: Logger
    ) {
        let router = Router.measured(metrics)
        router.add(
            middleware: Gate(
                rules: site.rules, hosts: HostRule(listen: host, others: doors.allowedHosts),
                open: ["/login", "/healthz"]))
        // Within the gate, so that these answers too tell browsers what they must not do.
        router.add(middleware: FaultAnswers())
        router.answer("/healthz", [.get: { _, _ in Response(plain: "ok\n") }])
        for asset in Asset.all {
            let response = asset.response
            router.answer(RouterPath(asset.path), [.get: { _, _ in response }])
        }
        site.addLogin(to: router)
        site.addFarm(to: router)
        site.addWorkers(to: router)
        site.addImages(to: router)
        site.addServices(to: router)
        site.addDeadLetters(to: router)
        site.addQuality(to: router)
        site.addAudit(to: router)
        site.addEvents(to: router)
        site.api?.add(to: router)
        self.init(host: host, port: port, limits: limits, router: router, log: log)
    }
}

/// What is asked for.
enum Routes {
    static func isOfAPI(_ request: Request) -> Bool { request.uri.path.hasPrefix("/api/") }
}

extension Request {
    /// The query, whatever it has.
    /// - Throws: `Fields.Fault`.
    func query() throws(Fields.Fault) -> Fields { try Fields(uri.query ?? "") }

    /// The query of a page that knows these fields.
    /// - Throws: `Fields.Fault`, also for another field, and for one that is there twice.
    func query(_ known: Set<String>) throws(Fields.Fault) -> Fields { try query().only(known) }

    /// The fields of a form that was sent, as browsers send those without files.
    /// - Parameters:
    ///   - known: the fields of the form.
    ///   - query: those that the address may have beside them.
    /// - Throws: `Fields.Fault`, also for another field, and for one that is there twice; `HTTPError` for a body that
    ///   is too large or of another type.
    func form(_ known: Set<String>, query: Set<String> = []) async throws -> Fields {
        _ = try self.query(query)
        let body = try await body.collect(upTo: 64 << 10)
        let type = headers[.contentType]?.split(separator: ";").first?.filter { $0 != " " }.lowercased()
        // A form without fields may come without a type.
        guard type == "application/x-www-form-urlencoded" || type == nil && body.readableBytes == 0 else {
            throw HTTPError(
                .unsupportedMediaType,
                message: "this is no form that is read here: send Content-Type: application/x-www-form-urlencoded")
        }
        guard let text = String(validating: body.readableBytesView, as: UTF8.self) else {
            throw Fields.Fault(text: "bytes that are no UTF-8")
        }
        return try Fields(text).only(known)
    }
}

extension Site {
    /// The fields that the addresses of pages may have: a part of the page, and what an act that led there has done.
    static let pageFields: Set<String> = ["part", "done", "what"]

    /// A page, or only its content where that is asked for.
    /// - Parameter known: the fields that its address may have.
    /// - Throws: `Fields.Fault` for other ones.
    func response(_ page: Page, _ request: Request, _ known: Set<String> = Site.pageFields) throws -> Response {
        guard try request.query(known).flag("part", is: "live") else { return Response(page) }
        return Response(page.content.text, "text/html; charset=utf-8")
    }
}
