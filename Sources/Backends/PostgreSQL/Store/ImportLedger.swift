import Model
import Pipeline

/// Which of a batch of images are new. An image is known by its path, else its URL, else its filename, also when another
/// one of the same batch brought it.
struct ImportLedger {
    private(set) var counts = ImportCounts()
    private var known: [[String: Place]] = [[:], [:], [:]]
    private var groups: [ImageID: String] = [:]
    private var moved: [ImageID: String] = [:]
    private var new: [NewImage] = []

    /// Where an image stands.
    enum Place {
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

    /// The columns that an image is known by, in their order.
    private static let columns = ["image_path", "image_url", "image_filename"]

    private static func names(_ image: NewImage) -> [String?] { [image.path, image.url, image.filename] }

    /// The column and value that this image is known by.
    private static func key(_ image: NewImage) -> (column: Int, value: String) {
        for (column, name) in names(image).enumerated() {
            if let name { return (column, name) }
        }
        return (2, "")
    }

    /// A question per column: which of these are there, with id and group.
    static func questions(_ images: [NewImage]) -> [Statement] {
        let keys = images.map(key)
        return columns.enumerated().map { index, column in
            Statement(
                """
                SELECT DISTINCT ON (\(column)) \(column), image_id, image_group FROM images
                WHERE \(column) = ANY($1::text[]) AND \(column) <> '' ORDER BY \(column), image_id
                """, .texts(keys.filter { $0.column == index }.map(\.value)))
        }
    }

    init(known answers: some Collection<Rows>) {
        for (column, rows) in answers.enumerated() {
            for index in 0..<rows.count {
                guard let value = rows[index].text(0), let id = rows[index].integer(1) else { continue }
                known[column][value] = .there(id)
                groups[id] = rows[index].text(2)
            }
        }
    }

    mutating func enter(_ image: NewImage, move: Bool) -> Place {
        let key = ImportLedger.key(image)
        guard let place = known[key.column][key.value] else { return add(image) }
        counts.existing += 1
        guard move, let group = image.group else { return place }
        switch place {
        case .there(let id) where groups[id] != group:
            groups[id] = group
            moved[id] = group
            counts.moved += 1
        case .new(let index) where new[index].group != group:
            new[index].group = group
            counts.moved += 1
        default: break
        }
        return place
    }

    private mutating func add(_ image: NewImage) -> Place {
        let place = Place.new(new.count)
        for (column, name) in ImportLedger.names(image).enumerated() {
            if let name, known[column][name] == nil { known[column][name] = place }
        }
        new.append(image)
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
            statements.append(
                Statement(
                    """
                    UPDATE images i SET image_group = n.image_group
                    FROM unnest($1::bigint[], $2::text[]) AS n(image_id, image_group) WHERE i.image_id = n.image_id
                    """, .integers(Array(moved.keys)), .texts(Array(moved.values))))
        }
        return statements
    }

    /// The ids of the new images in their order: in which order RETURNING answers, PostgreSQL does not promise.
    func newIDs(_ answers: [Rows], place: String) throws -> [ImageID] {
        guard !new.isEmpty, let rows = answers.first else { return [] }
        var ids: [String: ImageID] = [:]
        for index in 0..<rows.count {
            let row = rows[index]
            let key = ImportLedger.key(NewImage(filename: row.text(1), path: row.text(2), url: row.text(3)))
            ids["\(key.column) \(key.value)"] = row.integer(0)
        }
        return try new.map { image in
            let key = ImportLedger.key(image)
            guard let id = ids["\(key.column) \(key.value)"] else {
                throw PortFault(
                    .unusable, place: place, message: "table images: a trigger changes what is inserted")
            }
            return id
        }
    }
}
