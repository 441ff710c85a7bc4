import Model
import Pipeline

/// Decides which images of a batch are new. An image is identified by its path; without a path, by its URL; without
/// either, by its filename. The other one may be in the same batch.
struct ImportLedger {
    private var counts = ImportCounts()
    private var differences: [(place: Place, difference: ImageDifference)] = []
    private var known: [[String: Place]] = [[:], [:], [:]]
    /// The images that exist, as they will be.
    private var rows: [ImageID: Image] = [:]
    private var moved: Set<ImageID> = []
    private var updated: Set<ImageID> = []
    /// The new images, without ids.
    private var new: [Image] = []

    /// What an image of the batch refers to.
    enum Place: Equatable {
        case there(ImageID)
        /// The index among the new ones.
        case new(Int)

        func id(_ newIDs: [ImageID]) -> ImageID {
            switch self {
            case .there(let id): id
            case .new(let index): newIDs[index]
            }
        }
    }

    /// The columns that identify an image, in this order.
    private static let columns = ["image_path", "image_url", "image_filename"]

    private static func names(_ image: NewImage) -> [String?] { [image.path, image.url, image.filename] }
    private static func names(_ image: Image) -> [String?] { [image.path, image.url, image.filename] }

    /// The first column that has a value, and the value.
    private static func key(_ names: [String?]) -> (column: Int, value: String) {
        for (column, name) in names.enumerated() {
            if let name { return (column, name) }
        }
        return (2, "")
    }

    /// The names that can identify an image. Its filename means nothing if it has a path or a URL.
    private static func telling(_ image: NewImage) -> [String?] {
        key(names(image)).column == 2 ? names(image) : [image.path, image.url, nil]
    }

    /// One question for each column: which of these exist, and with which values.
    static func questions(_ images: [NewImage]) -> [Statement] {
        columns.enumerated().map { index, column in
            Statement(
                """
                SELECT DISTINCT ON (\(column)) \(ImageRows.imageColumns) FROM images i
                WHERE \(column) = ANY($1::text[]) AND \(column) <> '' ORDER BY \(column), image_id
                """, .texts(images.compactMap { telling($0)[index] }))
        }
    }

    init(known answers: some Collection<Rows>) {
        for (column, answer) in answers.enumerated() {
            for image in answer.map(ImageRows.image).compactMap({ $0 }) {
                guard let value = ImportLedger.names(image)[column] else { continue }
                known[column][value] = .there(image.id)
                rows[image.id] = image
            }
        }
    }

    mutating func enter(_ image: NewImage, move: Bool, update: Bool) -> Place {
        let place = zip(known, ImportLedger.telling(image)).lazy.compactMap { places, name in
            name.flatMap { places[$0] }
        }
        .first
        guard let place, var row = row(at: place) else { return add(image) }
        counts.existing += 1
        if move, let group = image.group, group != row.group {
            row.group = group
            counts.moved += 1
            if case .there(let id) = place { moved.insert(id) }
        }
        if let difference = ImageDifference(row, image) {
            differences.append((place, difference))
            if update {
                var written = difference.written
                written.group = row.group
                rename(place, from: row, to: written)
                row = written
                if case .there(let id) = place { updated.insert(id) }
            }
        }
        switch place {
        case .there(let id): rows[id] = row
        case .new(let index): new[index] = row
        }
        return place
    }

    private func row(at place: Place) -> Image? {
        switch place {
        case .there(let id): rows[id]
        case .new(let index): new[index]
        }
    }

    /// From now on only the new names identify it.
    private mutating func rename(_ place: Place, from old: Image, to written: Image) {
        for (column, name) in ImportLedger.names(old).enumerated() {
            if let name, known[column][name] == place { known[column][name] = nil }
        }
        learn(place, written)
    }

    private mutating func learn(_ place: Place, _ image: Image) {
        for (column, name) in ImportLedger.names(image).enumerated() {
            if let name, known[column][name] == nil { known[column][name] = place }
        }
    }

    private mutating func add(_ image: NewImage) -> Place {
        let place = Place.new(new.count)
        let row = Image(id: 0, filename: image.filename, path: image.path, url: image.url, group: image.group)
        learn(place, row)
        new.append(row)
        counts.added += 1
        return place
    }

    // MARK: Writing

    var statements: [Statement] {
        var statements: [Statement] = []
        if !new.isEmpty {
            statements.append(
                Statement(
                    """
                    INSERT INTO images (image_filename, image_path, image_url, image_group)
                    SELECT filename, path, url, image_group
                    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS n(filename, path, url, image_group)
                    RETURNING image_id, image_filename, image_path, image_url
                    """, .texts(new.map(\.filename)), .texts(new.map(\.path)), .texts(new.map(\.url)),
                    .texts(new.map(\.group))))
        }
        if !moved.isEmpty {
            let images = moved.sorted().compactMap { rows[$0] }
            statements.append(
                Statement(
                    """
                    UPDATE images i SET image_group = n.image_group
                    FROM unnest($1::bigint[], $2::text[]) AS n(image_id, image_group) WHERE i.image_id = n.image_id
                    """, .integers(images.map(\.id)), .texts(images.map(\.group))))
        }
        if !updated.isEmpty {
            let images = updated.sorted().compactMap { rows[$0] }
            statements.append(
                Statement(
                    """
                    UPDATE images i SET image_filename = n.filename, image_path = n.path, image_url = n.url
                    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS n(image_id, filename, path, url)
                    WHERE i.image_id = n.image_id
                    """, .integers(images.map(\.id)), .texts(images.map(\.filename)), .texts(images.map(\.path)),
                    .texts(images.map(\.url))))
        }
        return statements
    }

    /// What happened to the images.
    /// - Parameters:
    ///   - places: what `enter` returned for each of them.
    ///   - answers: the answers to `statements`.
    /// - Throws: `PortFault`.
    func answer(_ places: [Place], _ answers: [Rows], place: String) throws -> ImportAnswer {
        let newIDs = try newIDs(answers, place: place)
        var answer = ImportAnswer()
        answer.counts = counts
        answer.ids = places.map { $0.id(newIDs) }
        answer.differences = differences.map { place, difference in
            var difference = difference
            difference.stored.id = place.id(newIDs)
            difference.written.id = difference.stored.id
            return difference
        }
        return answer
    }

    /// The ids of the new images in their order. PostgreSQL does not promise the order in which RETURNING answers.
    private func newIDs(_ answers: [Rows], place: String) throws -> [ImageID] {
        guard !new.isEmpty, let rows = answers.first else { return [] }
        var ids: [String: ImageID] = [:]
        for index in 0..<rows.count {
            let row = rows[index]
            let key = ImportLedger.key([row.text(2), row.text(3), row.text(1)])
            ids["\(key.column) \(key.value)"] = row.integer(0)
        }
        return try new.map { image in
            let key = ImportLedger.key(ImportLedger.names(image))
            guard let id = ids["\(key.column) \(key.value)"] else {
                throw PortFault(
                    .unusable, place: place, message: "table images: a trigger changes what is inserted")
            }
            return id
        }
    }
}
