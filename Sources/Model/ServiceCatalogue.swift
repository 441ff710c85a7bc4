/// The `category` of a service in `service_config.json`: who calls it.
public enum ServiceCategory: String, Sendable, CaseIterable {
    /// It analyses whole images.
    case primary
    /// It analyses only crops.
    case spatialOnly = "spatial_only"
    /// It is a role of this program.
    case postProcessing = "post_processing"
}

/// How a service's answers count in merging and voting.
public enum Evidence: String, Sendable, CaseIterable {
    /// Boxes of objects, which are merged.
    case spatial
    case semantic
    case classification
    case specialized
    case none
}

/// A post-processing role: a `post_processing` entry of service_config.json, and a heartbeat's `service_name`.
public enum PostProcessing: String, Sendable, CaseIterable {
    case merger = "bbox_merger"
    case enricher = "spatial_enrichment"
    case consensus

    /// The queue of its triggers.
    public var queue: String {
        switch self {
        case .merger: "queue_bbox_merge"
        case .enricher: "queue_spatial_enrichment"
        case .consensus: "queue_consensus"
        }
    }

    /// The command that runs it.
    public var command: String {
        switch self {
        case .merger: "merge"
        case .enricher: "enrich"
        case .consensus: "consense"
        }
    }
}

/// The services that farm knows by name (spec section 2).
public struct CatalogueService: Sendable, Equatable {
    /// The name of the service.
    public var name: String
    /// The port on which it listens by default.
    public var port: Int
    /// Who calls it.
    public var category: ServiceCategory
    /// How its answers count.
    public var evidence: Evidence
    /// What it does, on one line.
    public var description: String
    /// The formats that are posted to it unchanged.
    public var accepts = PictureFormat.common

    /// The full catalogue.
    public static let all: [CatalogueService] = [
        .init(name: "colors", port: 7770, category: .primary, evidence: .none, description: "palette of the image"),
        .init(name: "detectron2", port: 7771, category: .primary, evidence: .spatial, description: "object boxes"),
        .init(name: "face", port: 7772, category: .spatialOnly, evidence: .specialized, description: "faces"),
        .init(name: "yolov8", port: 7773, category: .primary, evidence: .spatial, description: "object boxes"),
        .init(name: "nsfw2", port: 7774, category: .primary, evidence: .specialized, description: "moderation"),
        .init(name: "ocr", port: 7775, category: .primary, evidence: .specialized, description: "text"),
        .init(name: "blip", port: 7777, category: .primary, evidence: .semantic, description: "caption"),
        .init(name: "clip", port: 7778, category: .primary, evidence: .classification, description: "labels"),
        .init(
            name: "inception_v3", port: 7779, category: .primary, evidence: .classification,
            description: "ImageNet labels"),
        .init(name: "rtdetr", port: 7780, category: .primary, evidence: .spatial, description: "object boxes"),
        .init(
            name: "metadata", port: 7781, category: .primary, evidence: .none, description: "EXIF and technical data",
            // It reads metadata that a JPEG made from the file would not have.
            accepts: Set(PictureFormat.allCases)),
        .init(
            name: "ollama", port: 7782, category: .primary, evidence: .semantic, description: "vision language model"),
        .init(name: "pose", port: 7786, category: .spatialOnly, evidence: .specialized, description: "body pose"),
    ]

    /// The service with this name.
    public static func named(_ name: String) -> CatalogueService? { all.first { $0.name == name } }
}
