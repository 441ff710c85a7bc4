import Model
import Pipeline

extension DatabaseStore: ImageCatalogue {
    func add(_ images: [NewImage], move: Bool, update: Bool) async throws -> ImportAnswer {
        let images = try images.map(DatabaseStore.fitting)
        return try await write("adding images") { tables in
            images.reduce(into: ImportAnswer()) { answer, image in
                DatabaseStore.add(image, move: move, update: update, to: &tables, &answer)
            }
        }
    }

    func assignGroup(_ group: String) async throws -> Int {
        try await write("assigning a group") { tables in
            let bare = tables.images.values.filter { $0.group ?? "" == "" }
            for image in bare { tables.images[image.id]?.group = group }
            return bare.count
        }
    }

    func images(_ filter: ImageFilter, after: ImageID, limit: Int) async throws -> [ListedImage] {
        try await read("images") { Array($0.listed(filter).drop { $0.image.id <= after }.prefix(limit)) }
    }

    func count(_ filter: ImageFilter) async throws -> Int { try await read("images") { $0.listed(filter).count } }

    func finalErrors(_ filter: ImageFilter, of services: [String]) async throws -> [String: Int] {
        try await read("final errors") { tables in
            let images = tables.listed(ImageFilter(group: filter.group, ids: filter.ids)).map(\.image.id)
            return services.reduce(into: [:]) { counts, service in
                let count = images.count { image in
                    !tables.isAnswered(service, of: image, by: .success)
                        && tables.isAnswered(service, of: image, by: .settled)
                }
                if count > 0 { counts[service] = count }
            }
        }
    }

    func lack(of services: [String], in group: String?, failed: Bool, limit: Int?) async throws -> Lack {
        let filter = ImageFilter(group: group, lacking: services, answers: failed ? .success : .settled)
        let listed = try await images(filter, after: 0, limit: limit ?? .max)
        return Lack(
            images: listed.count, jobs: listed.reduce(0) { $0 + $1.lacking.count },
            failed: failed ? [:] : try await finalErrors(ImageFilter(group: group), of: services))
    }

    func newestID() async throws -> ImageID { try await read("newest image") { $0.images.keys.max() ?? 0 } }

    func newestResultID() async throws -> Int {
        try await read("newest result") { tables in tables.results.values.joined().map(\.resultID).max() ?? 0 }
    }

    func find(_ text: String) async throws -> [Image] {
        let id = text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
        return try await read("image \(text)") { tables in
            tables.images.values.filter { image in
                image.id == id || [image.path, image.url, image.filename].contains(text)
            }.sorted { $0.id < $1.id }
        }
    }

    // MARK: Adding

    /// What is empty counts as not given; a filename that is too long is cut.
    private static func fitting(_ image: NewImage) throws -> NewImage {
        func given(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }
        let fitting = NewImage(
            filename: given(image.filename).map { cut($0, to: 255) }, path: given(image.path), url: given(image.url),
            group: given(image.group))
        guard fitting.path != nil || fitting.url != nil || fitting.filename != nil else {
            throw PortFault(.refused, place: "store", message: "an image has neither path nor URL nor filename")
        }
        return fitting
    }

    private static func add(
        _ image: NewImage, move: Bool, update: Bool, to tables: inout Database.Tables, _ answer: inout ImportAnswer
    ) {
        guard let known = tables.known(image) else {
            let id = tables.newID()
            tables.images[id] = Image(
                id: id, filename: image.filename, path: image.path, url: image.url, group: image.group)
            answer.ids.append(id)
            answer.counts.added += 1
            return
        }
        answer.ids.append(known.id)
        answer.counts.existing += 1
        if move, let group = image.group, group != known.group {
            tables.images[known.id]?.group = group
            answer.counts.moved += 1
        }
        guard let difference = ImageDifference(known, image) else { return }
        answer.differences.append(difference)
        guard update else { return }
        var written = difference.written
        written.group = tables.images[known.id]?.group
        tables.images[known.id] = written
    }

    /// The value, cut with a mark if it is longer than its column would be.
    static func cut(_ text: String, to limit: Int) -> String {
        text.unicodeScalars.count > limit
            ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit - 1))) + "…" : text
    }
}

// MARK: What a filter asks for

extension Database.Tables {
    /// By path, else by URL, and by filename where it has neither.
    fileprivate func known(_ image: NewImage) -> Image? {
        func first(_ isIt: (Image) -> Bool) -> Image? { images.values.filter(isIt).min { $0.id < $1.id } }
        if let path = image.path, let known = first({ $0.path == path }) { return known }
        if let url = image.url, let known = first({ $0.url == url }) { return known }
        guard image.path == nil, image.url == nil else { return nil }
        return first { $0.filename == image.filename }
    }

    fileprivate func listed(_ filter: ImageFilter) -> [ListedImage] {
        let ids = filter.ids.map(Set.init)
        return images.values.sorted { $0.id < $1.id }.compactMap { image in
            guard filter.group == nil || image.group == filter.group, ids?.contains(image.id) != false else {
                return nil
            }
            guard let services = filter.lacking else { return ListedImage(image: image) }
            var seen: Set<String> = []
            let lacking = services.filter {
                seen.insert($0).inserted && !isAnswered($0, of: image.id, by: filter.answers)
            }
            return lacking.isEmpty ? nil : ListedImage(image: image, lacking: lacking)
        }
    }

    fileprivate func isAnswered(_ service: String, of image: ImageID, by rule: AnswerRule) -> Bool {
        let rows = (results[image] ?? []).filter { $0.service == service }
        func isNewer(than id: Int) -> Bool { rows.contains { $0.resultID > id } }
        let hasSuccess = rows.contains { $0.status == .success }
        let isSettled = hasSuccess || rows.max { $0.resultID < $1.resultID }?.isFinalError == true
        return switch rule {
        case .success: hasSuccess
        case .newer(let id): isNewer(than: id)
        case .settled: isSettled
        case .successOrNewer(let id): hasSuccess || isNewer(than: id)
        case .settledOrNewer(let id): isSettled || isNewer(than: id)
        }
    }
}

extension StoredResult {
    /// An error that would come again: see `FinalErrors`.
    fileprivate var isFinalError: Bool {
        guard status == .error, let error = data["error"], let kind = error["kind"]?.stringValue else { return false }
        if kind == FinalErrors.untriedKind { return error["tries"]?.integerValue ?? 0 == 0 }
        if kind == FinalErrors.statusKind, let status = error["http_status"]?.integerValue {
            return 400...499 ~= status && !FinalErrors.passingStatuses.contains(status)
        }
        return FinalErrors.kinds.contains(kind)
    }
}
