import HTTPTypes
import Hummingbird
import Model
import Operations
import Pictures
import Pipeline

/// What the pages of images read.
package struct Gallery: Sendable {
    /// Opened when somebody asks.
    let store: @Sendable () async throws -> Store
    let photos: Photos
    let rules: ReadingRules

    /// - Parameter store: the store or its replica; it throws `PortFault` while it is out of reach.
    package init(store: @escaping @Sendable () async throws -> Store, photos: Photos, rules: ReadingRules) {
        self.store = store
        self.photos = photos
        self.rules = rules
    }

    /// All that is known of the image that a path names.
    /// - Throws: `HTTPError` where there is none; `PortFault`.
    func detail(_ context: Context) async throws -> ImageDetail {
        let id = try context.number("id")
        guard let detail = try await ImageDetails(store: try await store(), rules: rules).detail(of: id) else {
            throw Site.noImage(id)
        }
        return detail
    }

    /// How large the photo is, upright; or why it cannot be shown.
    func size(of detail: ImageDetail) async -> Result<ImagePageContent.Size, PictureFault> {
        do throws(PictureFault) {
            return .success(.init(try await photos.uprightSize(of: detail.report.image)))
        } catch {
            return .failure(error)
        }
    }
}

extension Site {
    func addImages(to router: Router<Context>) {
        let (gallery, api) = (gallery, api)
        router.answer(
            "/images",
            [
                .get: { request, context in
                    let query = try request.query()
                    let search = try ImageSearchFields(query, expected: gallery.rules.expected)
                    let store = try await gallery.store()
                    let page = ImagesPage(
                        search: search,
                        page: try await store.page(
                            search.query, search.order, at: search.cursor, limit: ImagesPage.limit),
                        groups: try await store.groups(limit: ImagesPage.choices),
                        labels: try await store.labels(beginning: "", limit: ImagesPage.choices),
                        services: gallery.rules.expected, lag: try await store.indexLag())
                    return try response(
                        Page(
                            title: "Images", section: .images, access: context.access, made: .now,
                            content: page.content), request, ImageSearchFields.known)
                }
            ])
        router.answer(
            "/images/:id",
            [
                .get: { request, context in
                    let query = try request.query()
                    let search = try ImageSearchFields(query, expected: gallery.rules.expected)
                    let detail = try await gallery.detail(context)
                    let id = detail.report.image.id
                    let neighbours = try await gallery.store().neighbours(of: id, search.query, search.order)
                    let services = context.access.mayAct && api != nil ? gallery.rules.expected : []
                    let content = ImagePageContent(
                        detail: detail, search: search, neighbours: neighbours, size: await gallery.size(of: detail),
                        services: services)
                    return try response(
                        Page(
                            title: "Image \(id)", section: .images, depth: 1, access: context.access,
                            notice: .rerun(query), made: .now, content: content.html), request,
                        ImageSearchFields.known)
                }
            ])
        router.answer(
            "/images/:id/results/:result",
            [
                .get: { request, context in
                    _ = try request.query([])
                    let (id, result) = (try context.number("id"), try context.number("result"))
                    guard let stored = try await gallery.store().result(result, of: id) else {
                        throw HTTPError(.notFound, message: "image \(id) has no result \(result)")
                    }
                    return Response(stored.data.text, "application/json")
                }
            ])
        addImageParts(to: router)
        addRerun(to: router)
        addPhotos(to: router)
    }

    private func addRerun(to router: Router<Context>) {
        guard let api else { return }
        let expected = gallery.rules.expected
        router.answer(
            "/images/:id/rerun",
            [
                .post: { request, context in
                    let fields = try await request.form(["what", "service", "key"], query: ImageSearchFields.known)
                    let id = try context.number("id")
                    let rerun = try Site.rerun(fields, of: expected)
                    guard let key = fields["key"], API.isKey(key) else {
                        throw Fields.Fault(text: "no key of a form, or one that is none")
                    }
                    let count = try await api.rerun(rerun, of: id, key: key, request.headers)
                    // What the reader was looking for stays in the address.
                    let search = try ImageSearchFields(try request.query(), expected: expected).link()
                    return Response.seeOther("../\(id)\(search.isEmpty ? "?" : search + "&")done=rerun&what=\(count)")
                }
            ])
    }

    /// - Throws: `Fields.Fault` for anything but one of the kinds, or one of the services that the page names.
    private static func rerun(_ fields: Fields, of expected: [String]) throws(Fields.Fault) -> ImageRerun {
        switch (fields.value("what"), fields.value("service")) {
        case (let what?, nil): if let known = ImageRerun.named.first(where: { $0.name == what }) { return known.rerun }
        case (nil, let service?): if expected.contains(service) { return .services([service]) }
        default: break
        }
        throw Fields.Fault(text: "nothing to run again that is known: what or service, and one of them")
    }

    private func addPhotos(to router: Router<Context>) {
        let (gallery, log) = (gallery, api?.log)
        func served(_ scale: @escaping @Sendable (Image) async throws(PictureFault) -> Photos.Scaled) -> Handler {
            { request, context in
                _ = try request.query([])
                let id = try context.number("id")
                guard let image = try await gallery.store().images([id])[id] else { throw Site.noImage(id) }
                do {
                    return Response(try await scale(image), to: request)
                } catch let fault as PictureFault {
                    log?.info("the photo of image \(id) cannot be shown: \(fault.message)")
                    return Response(
                        plain: "the photo of image \(id) cannot be shown: \(fault.toldToStrangers)\n", .notFound)
                }
            }
        }
        let photos = gallery.photos
        router.answer(
            "/images/:id/thumbnail",
            [
                .get: served { image throws(PictureFault) in
                    try await photos.thumbnail(of: image)
                }
            ])
        router.answer(
            "/images/:id/photo",
            [
                .get: served { image throws(PictureFault) in
                    try await photos.photo(of: image, width: Photos.shown)
                }
            ])
    }

    static func noImage(_ id: ImageID) -> HTTPError { HTTPError(.notFound, message: "there is no image \(id)") }
}

extension Context {
    /// A whole number of the path, from 1.
    /// - Throws: `HTTPError` if it is none.
    func number(_ name: String) throws -> Int {
        guard let text = parameters.get(name), text.utf8.count <= 19, text.utf8.allSatisfy({ (48...57).contains($0) }),
            let number = Int(text), number > 0
        else { throw HTTPError(.notFound, message: "there is no such page") }
        return number
    }
}

extension Request {
    /// Whether its sender has what this tag stands for (RFC 9110, section 13.1.2), also where a proxy has made it weak.
    func knows(tag: String) -> Bool {
        headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }.contains { part in
            let given = part.filter { $0 != " " && $0 != "\t" }
            return given == "*" || (given.hasPrefix("W/") ? String(given.dropFirst(2)) : given) == tag
        }
    }
}

extension Response {
    /// A photo that browsers keep for an hour, and then ask for whether it is another one.
    init(_ photo: Photos.Scaled, to request: Request) {
        var headers: HTTPFields = [.cacheControl: "private, max-age=3600", .xContentTypeOptions: "nosniff"]
        let tag = "\"\(photo.tag)\""
        if !photo.tag.isEmpty { headers[.eTag] = tag }
        guard photo.tag.isEmpty || !request.knows(tag: tag) else {
            self.init(status: .notModified, headers: headers)
            return
        }
        headers[.contentType] = "image/jpeg"
        self.init(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: photo.jpeg)))
    }
}
