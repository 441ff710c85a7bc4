import Foundation
import HTTPTypes
import Hummingbird
import Model
import Operations
import Pictures
import Pipeline
import Waiting

extension API {
    /// Images: handed in, looked at, asked about again.
    var imageRoutes: [Route] {
        [
            Route(path: "/images", handlers: [.get: page, .post: submit]),
            Route(path: "/images/{id}", handlers: [.get: image]),
            Route(path: "/images/{id}/photo", handlers: [.get: photo]),
            Route(path: "/images/{id}/rerun", handlers: [.post: rerun]),
        ]
    }

    // MARK: Looking

    /// One image; waits for it where that is asked for.
    @Sendable private func image(_ request: Request, _ context: Context) async throws -> Response {
        let id = try context.imageID()
        let parameters = try QueryParameters(request, known: ["wait", "until", "services"])
        let goal: ImageGoal = try parameters.choice("until") ?? .primary
        let expected = try expectedServices(parameters.list("services"))
        let wait = try parameters.integer("wait", in: 0...API.longestWait) ?? API.preferredWait(request.headers)
        var analysis = try await self.analysis(of: id, expecting: expected)
        guard let wait, wait > 0 else { return Response(analysis.json) }
        var headers: HTTPFields = [.preferenceApplied: "wait=\(wait)"]
        if !analysis.reaches(goal) {
            switch await waiters.wait(for: id, services: expected, goal: goal, upTo: .seconds(wait)) {
            case .reached, .timedOut: break
            case .refused: headers = [.retryAfter: "5"]
            }
            analysis = try await self.analysis(of: id, expecting: expected)
        }
        return Response(analysis.json, .ok, headers)
    }

    /// A client that waits longer asks again.
    static let longestWait = 60

    /// `Prefer: wait=10` (RFC 7240). What is no such preference is passed over, as there.
    static func preferredWait(_ headers: HTTPFields) -> Int? {
        let preferences = headers[values: .prefer].flatMap { $0.split(separator: ",") }
        let waits = preferences.compactMap { preference -> Int? in
            let parts = preference.filter { $0 != " " && $0 != "\"" }.split(separator: "=")
            guard parts.count == 2, parts[0].lowercased() == "wait" else { return nil }
            return QueryParameters.number(String(parts[1]))
        }
        return waits.first.map { min($0, longestWait) }
    }

    /// The services that an image is to be answered by: those that are named, or all that every image is sent to.
    private func expectedServices(_ names: [String]?) throws(Problem) -> [String] {
        guard let names else { return expected }
        if let unknown = names.first(where: { services.service(named: $0) == nil }) {
            throw Problem(
                .badParameter,
                "unknown service \(unknown.prefix(50)); known are \(services.names.joined(separator: ", "))",
                parameter: "services")
        }
        return Set(names).sorted()
    }

    /// - Throws: `Problem` for an image that is not there.
    private func analysis(of id: ImageID, expecting expected: [String]) async throws -> ImageAnalysis {
        if let analysis = try await parts.store().analysis(of: id, expecting: expected) { return analysis }
        // A replica may not have an image yet that was handed in a moment ago.
        return try await API.found(store().analysis(of: id, expecting: expected), id)
    }

    private static func found(_ analysis: ImageAnalysis?, _ id: ImageID) throws(Problem) -> ImageAnalysis {
        guard let analysis else { throw Problem(.notFound, "there is no image \(id)") }
        return analysis
    }

    /// A page of the images that match.
    @Sendable private func page(_ request: Request, _ context: Context) async throws -> Response {
        let parameters = try QueryParameters(
            request, known: ["group", "label", "emoji", "state", "text", "order", "limit", "cursor"])
        let query = ImageQuery(
            group: try parameters.text("group", upTo: 255), label: try parameters.text("label"),
            emoji: try parameters.text("emoji"), state: try parameters.choice("state"),
            text: try parameters.text("text"), expected: expected)
        let order: ImageOrder = try parameters.choice("order") ?? .newestFirst
        let limit = try parameters.integer("limit", in: 1...ImageSearch.pageLimit) ?? 100
        let cursor = try parameters.text("cursor").map { text throws(Problem) -> ImageCursor in
            guard let cursor = ImageCursor(text) else {
                throw Problem(.badParameter, "it is none that a page has given as next", parameter: "cursor")
            }
            return cursor
        }
        let page = try await parts.store().page(query, order, at: cursor, limit: limit)
        return Response(
            .object([
                "images": .array(page.tiles.map(\.json)), "next": .optional(page.next?.text),
                "searched_to": page.searchedTo.map { .int(Int64($0)) } ?? .null,
            ]))
    }

    /// The photo, as it is or smaller.
    @Sendable private func photo(_ request: Request, _ context: Context) async throws -> Response {
        let id = try context.imageID()
        let width = try QueryParameters(request, known: ["width"]).integer("width", in: 1...4096)
        guard let photos, let image = try await parts.store().images([id])[id] else {
            throw Problem(.notFound, "there is no image \(id)")
        }
        do {
            // Other types than these run no code in a browser, and none of them is SVG.
            guard let width else { return try await API.original(photos, image) }
            let scaled = try await photos.photo(of: image, width: width)
            let tag = "\"\(scaled.tag)\""
            let headers: HTTPFields = [
                .contentType: "image/jpeg", .eTag: tag, .cacheControl: "private, max-age=3600",
                .xContentTypeOptions: "nosniff",
            ]
            guard scaled.tag.isEmpty || !request.knows(tag: tag) else {
                return Response(status: .notModified, headers: headers)
            }
            return Response(
                status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: scaled.jpeg)))
        } catch let fault as PictureFault {
            log.info("the photo of image \(id) cannot be read: \(fault.message)")
            throw Problem(.notFound, "the photo of image \(id) cannot be read: \(fault.toldToStrangers)")
        }
    }

    // MARK: Asking

    /// Hands an image in.
    @Sendable private func submit(_ request: Request, _ context: Context) async throws -> Response {
        _ = try QueryParameters(request)
        let key = try API.key(request.headers)
        if let boundary = MultipartReader.boundary(request.headers[.contentType]) {
            let form = try await upload(request, boundary)
            let targets = try services.targets(form.services ?? "all")
            let promise = try promise(form)
            let new = try await form.folder.keep(form.draft, named: form.filename, group: form.group)
            let submission = try await submission(request.headers)
            let added = try await submission.add(new)
            let jobs = try await submission.submit(added.image, to: targets, key: key)
            return try await accepted(added, jobs, promise, submission)
        }
        let body = try await RequestObject(
            request, known: ["url", "path", "services", "group", "callback_url", "until"])
        let place = try API.place(body)
        let group = try body.text("group", upTo: 255)
        let promise = try promise(body)
        let targets = try services.targets(body.texts("services", upTo: 50)?.joined(separator: ",") ?? "all")
        let submission = try await submission(request.headers)
        let added = try await submission.add(place, to: group, looking: cropper)
        let jobs = try await submission.submit(added.image, to: targets, key: key)
        return try await accepted(added, jobs, promise, submission)
    }

    /// - Parameter promise: is in its queue, too, before the answer is given.
    private func accepted(
        _ added: (image: Image, isNew: Bool), _ jobs: [ImageSubmission.SubmittedJob], _ promise: CallbackPromise?,
        _ submission: ImageSubmission
    ) async throws -> Response {
        var members = [JSON.Member("is_new", .bool(added.isNew))]
        if let promise {
            let callback = try await submission.promise(promise.url, when: promise.goal, of: added.image, jobs)
            members.append(JSON.Member("callback_id", .string(callback.id.text)))
        }
        return accepted(added.image, jobs, members, root: "images/")
    }

    /// Asks services about an image once more.
    @Sendable private func rerun(_ request: Request, _ context: Context) async throws -> Response {
        let id = try context.imageID()
        _ = try QueryParameters(request)
        let body = try await RequestObject(request, known: ["what", "services"])
        let rerun = try API.rerunChoice(body)
        let key = try API.key(request.headers) ?? UUID().text
        let submission = try await submission(request.headers)
        let analysis = try await API.found(store().analysis(of: id, expecting: expected), id)
        let targets = try rerun.targets(of: analysis, expecting: expected, services)
        let jobs = try await submission.submit(analysis.report.image, to: targets, key: key)
        try await submission.audit(jobs, of: id, by: API.who)
        return accepted(analysis.report.image, jobs, [], root: "../")
    }

    /// The same for the page of an image.
    /// - Returns: how many services are asked.
    func rerun(_ rerun: ImageRerun, of id: ImageID, key: String, _ headers: HTTPFields) async throws -> Int {
        let submission = try await submission(headers)
        let analysis = try await API.found(store().analysis(of: id, expecting: expected), id)
        let targets = try rerun.targets(of: analysis, expecting: expected, services)
        let jobs = try await submission.submit(analysis.report.image, to: targets, key: key)
        try await submission.audit(jobs, of: id, by: Helm.who)
        return targets.count
    }

    private static func rerunChoice(_ body: RequestObject) throws(Problem) -> ImageRerun {
        switch (try body.text("what"), try body.texts("services", upTo: 50)) {
        case (let what?, nil):
            guard let named = ImageRerun.named.first(where: { $0.name == what }) else {
                let all = ImageRerun.named.map(\.name).joined(separator: ", ")
                throw Problem(.badBody, "it is one of \(all)", parameter: "what")
            }
            return named.rerun
        case (nil, let services?): return .services(services)
        default: throw Problem(.badBody, "it needs what, or services, and not both")
        }
    }

    /// The path or URL that was sent.
    private static func place(_ body: RequestObject) throws(Problem) -> String {
        switch (try body.text("url", upTo: 2000), try body.text("path", upTo: 4000)) {
        case (let url?, nil):
            guard ImageSubmission.isURL(url) else {
                throw Problem(.badBody, "it is an http or https URL with a host", parameter: "url")
            }
            return url
        case (nil, let path?):
            guard PathText.isAbsolute(path) else {
                throw Problem(.badBody, "it is a path from the root on, on the server's machine", parameter: "path")
            }
            return path
        default: throw Problem(.badBody, "it needs url or path, and not both")
        }
    }

    /// The Idempotency-Key that was sent.
    static func key(_ headers: HTTPFields) throws(Problem) -> String? {
        guard let key = headers[.idempotencyKey] else { return nil }
        guard isKey(key) else {
            throw Problem(
                .badParameter, "it has 1 to 255 characters of ASCII without blanks", parameter: "Idempotency-Key")
        }
        return key
    }

    static func isKey(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private func submission(_ headers: HTTPFields) async throws -> ImageSubmission {
        ImageSubmission(
            store: try await store(), queue: try await parts.queue(), time: time,
            trace: headers[.traceparent].flatMap { TraceContext($0) })
    }

    /// - Parameter root: the way from the path that was asked for to that of the images.
    private func accepted(
        _ image: Image, _ jobs: [ImageSubmission.SubmittedJob], _ members: [JSON.Member], root: String
    ) -> Response {
        let answer: [JSON.Member] =
            [JSON.Member("image_id", .int(Int64(image.id)))] + members
            + [JSON.Member("jobs", .array(jobs.map(\.json)))]
        return Response(.object(answer), .accepted, [.location: root + "\(image.id)"])
    }
}

extension ImageAnalysis {
    fileprivate func reaches(_ goal: ImageGoal) -> Bool {
        switch goal {
        case .primary: isAnswered
        case .consensus: isAnswered && hasNewestConsensus
        }
    }
}

extension ImageTile {
    fileprivate var json: JSON {
        .object([
            "image_id": .int(Int64(image.id)), "image_filename": .optional(image.filename),
            "image_path": .optional(image.path), "image_url": .optional(image.url),
            "image_group": .optional(image.group), "state": .string(state.rawValue),
            "missing": .array(missing.map(JSON.string)), "failed": .array(failed.map(JSON.string)),
            "labels": .array(
                labels.map {
                    .object([
                        "label": .string($0.label), "boxes": .int(Int64($0.boxes)),
                        "confidence": .double($0.confidence),
                    ])
                }),
            "emoji": .array(emoji.map { .object(["emoji": .string($0.emoji), "votes": .int(Int64($0.votes))]) }),
        ])
    }
}

extension HTTPField.Name {
    static let prefer = name("Prefer")
    static let preferenceApplied = name("Preference-Applied")
    static let idempotencyKey = name("Idempotency-Key")
    static let traceparent = name("traceparent")
}
