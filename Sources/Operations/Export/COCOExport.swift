import Model
import Pipeline

/// The merged boxes as COCO JSON (https://cocodataset.org/#format-data, object detection, with `score` as in its
/// results). The images are read three times: names need the folder that all have in common, and annotations need the
/// ids of the categories, which are the sorted labels.
struct COCOExport {
    private static let pageSize = 200
    /// The page size if only the rows of the images are read.
    private static let namePageSize = 2000
    private static let description = "merged boxes, by farm"

    /// The beginning of every such export.
    static let beginning = Array("{\"info\":{\"description\":\(JSON.string(description).text)".utf8)

    /// How many boxes were written.
    private(set) var boxes = 0
    /// How many rows of `merged_boxes` hold no box. They are other programs'.
    private(set) var unreadable = 0

    private let version: String
    private let size: @Sendable (String) async -> (width: Int, height: Int)?
    private var names = COCONames()
    /// The labels as UTF-8, compared and sorted by Unicode scalars, as in merging.
    private var labels: Set<[UInt8]> = []

    /// - Parameters:
    ///   - version: the version of farm.
    ///   - size: the size of the upright picture at a path. nil if it cannot be read here.
    init(version: String, size: @escaping @Sendable (String) async -> (width: Int, height: Int)?) {
        self.version = version
        self.size = size
    }

    mutating func write(_ source: ExportSource, to file: some ExportSink) async throws {
        try await source.read("images named", pageSize: COCOExport.namePageSize) { page in
            for image in page { names.saw(image) }
        }
        var info = [
            JSON.Member("description", .string(COCOExport.description)),
            JSON.Member("version", .string(version)),
        ]
        if let folder = names.folder { info.append(JSON.Member("image_folder", .string(folder))) }
        try file.write(Array("{\"info\":\(JSON.object(info).text),\n\"images\":".utf8))
        var images = COCOList(file)
        try await source.read("images exported", pageSize: COCOExport.pageSize) { page in
            for boxes in try await source.store.boxes(of: page.map(\.id)) {
                for box in boxes.compactMap(\.box) { labels.insert(Array(box.label.utf8)) }
            }
            var entries: [JSON] = []
            for image in page { entries.append(await entry(image)) }
            try images.write(entries)
        }
        try images.end()

        var categories = COCOCategories(labels)
        try file.write(Array(",\n\"annotations\":".utf8))
        var annotations = COCOList(file)
        try await source.read("boxes of images exported", pageSize: COCOExport.pageSize) { page in
            for (image, boxes) in zip(page, try await source.store.boxes(of: page.map(\.id))) {
                let read = boxes.compactMap { stored in stored.box.map { (stored.mergedID, $0) } }
                unreadable += boxes.count - read.count
                self.boxes += read.count
                try annotations.write(read.map { annotation(image.id, $0, $1, category: categories.id(of: $1.label)) })
            }
        }
        try annotations.end()
        try file.write(Array(",\n\"categories\":".utf8))
        var list = COCOList(file)
        try list.write(categories.entries)
        try list.end()
        try file.write(Array("}\n".utf8))
    }

    /// The image, with its size if its file can be read here.
    private mutating func entry(_ image: Image) async -> JSON {
        var members = [
            JSON.Member("id", .int(Int64(image.id))),
            JSON.Member("file_name", .string(names.name(of: image))),
        ]
        if let path = image.path, let size = await size(path) {
            members.append(JSON.Member("width", .int(Int64(size.width))))
            members.append(JSON.Member("height", .int(Int64(size.height))))
        }
        if let path = image.path { members.append(JSON.Member("path", .string(path))) }
        if let url = image.url { members.append(JSON.Member("coco_url", .string(url))) }
        if let group = image.group { members.append(JSON.Member("group", .string(group))) }
        return .object(members)
    }

    private func annotation(_ image: ImageID, _ id: Int, _ box: MergedBox, category: Int) -> JSON {
        let bbox = box.bbox
        return .object([
            "id": .int(Int64(id)), "image_id": .int(Int64(image)), "category_id": .int(Int64(category)),
            "bbox": .array([.double(bbox.x), .double(bbox.y), .double(bbox.width), .double(bbox.height)]),
            "area": .double((bbox.area * 100).rounded() / 100), "iscrowd": 0, "score": .double(box.score),
            "cluster_id": .string(box.clusterID), "services": .array(box.contributingServices.map(JSON.string)),
        ])
    }
}

/// The numbers of the labels, from 1, in their order.
private struct COCOCategories {
    private var labels: [[UInt8]]
    private var ids: [[UInt8]: Int]

    init(_ labels: Set<[UInt8]>) {
        self.labels = labels.sorted { $0.lexicographicallyPrecedes($1) }
        ids = Dictionary(uniqueKeysWithValues: zip(self.labels, 1...))
    }

    /// A label from a merge that happened after the labels were read gets the next number.
    mutating func id(of label: String) -> Int {
        let label = Array(label.utf8)
        if let id = ids[label] { return id }
        labels.append(label)
        ids[label] = labels.count
        return labels.count
    }

    var entries: [JSON] {
        labels.enumerated().map { index, label in
            .object(["id": .int(Int64(index + 1)), "name": .string(String(decoding: label, as: UTF8.self))])
        }
    }
}

/// A JSON array that is written while it is made, one element on each line.
private struct COCOList {
    private let file: any ExportSink
    private var isEmpty = true

    init(_ file: any ExportSink) { self.file = file }

    mutating func write(_ elements: [JSON]) throws {
        var text: [UInt8] = []
        for element in elements {
            text += (isEmpty ? "[\n" : ",\n").utf8
            text += element.bytes
            isEmpty = false
        }
        try file.write(text)
    }

    mutating func end() throws { try file.write(Array((isEmpty ? "[]" : "\n]").utf8)) }
}
