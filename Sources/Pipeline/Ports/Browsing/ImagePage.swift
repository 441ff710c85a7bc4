import Foundation
import Model

/// What a grid shows of an image.
public struct ImageTile: Sendable, Equatable {
    /// A label of its fused boxes.
    public struct Label: Sendable, Equatable {
        /// What the boxes show.
        public var label: String
        /// How many boxes have it.
        public var boxes: Int
        /// The highest mean confidence among them.
        public var confidence: Double

        package init(label: String, boxes: Int, confidence: Double) {
            self.label = label
            self.boxes = boxes
            self.confidence = confidence
        }
    }

    /// An emoji of its consensus.
    public struct Emoji: Sendable, Equatable {
        /// Normalised.
        public var emoji: String
        /// How many services named it.
        public var votes: Int

        package init(emoji: String, votes: Int) {
            self.emoji = emoji
            self.votes = votes
        }
    }

    /// The row of `images`.
    public var image: Image
    /// The surest first.
    public var labels: [Label]
    /// In the order of the consensus.
    public var emoji: [Emoji]
    /// How far it is, by the services that the query expects.
    public var state: ImageState
    /// Expected services without any row.
    public var missing: [String]
    /// Services whose newest row is an error.
    public var failed: [String]
    /// A fused box was not seen by all detectors; nil where the image is not indexed yet.
    public var disagrees: Bool?

    package init(
        image: Image, labels: [Label] = [], emoji: [Emoji] = [], state: ImageState, missing: [String] = [],
        failed: [String] = [], disagrees: Bool? = nil
    ) {
        self.image = image
        self.labels = labels
        self.emoji = emoji
        self.state = state
        self.missing = missing
        self.failed = failed
        self.disagrees = disagrees
    }
}

/// A part of a list of images.
public struct ImagePage: Sendable, Equatable {
    /// In the list's order.
    public var tiles: [ImageTile]
    /// Where the list goes on; nil: here it ends.
    public var next: ImageCursor?
    /// Where it goes on to its beginning; nil: here it begins.
    public var previous: ImageCursor?
    /// The search stopped at this image although the page is not full: so many images were looked at that the answer would
    /// have taken too long. `next` (of a page before a place: `previous`) goes on from here.
    public var searchedTo: ImageID?

    package init(
        tiles: [ImageTile] = [], next: ImageCursor? = nil, previous: ImageCursor? = nil, searchedTo: ImageID? = nil
    ) {
        self.tiles = tiles
        self.next = next
        self.previous = previous
        self.searchedTo = searchedTo
    }
}

/// The images beside one in a list.
public struct ImageNeighbours: Sendable, Equatable {
    /// The one before it.
    public var previous: ImageID?
    /// The one after it.
    public var next: ImageID?
    /// Whether images may be missing because the search stopped before it found them.
    public var isCutShort: Bool

    package init(previous: ImageID? = nil, next: ImageID? = nil, isCutShort: Bool = false) {
        self.previous = previous
        self.next = next
        self.isCutShort = isCutShort
    }
}

/// A row of `results` without its data.
public struct ResultSummary: Sendable, Equatable {
    /// The larger, the newer.
    public var resultID: Int
    /// The service it is of.
    public var service: String
    /// How it ended.
    public var status: ResultStatus
    /// Seconds.
    public var processingTime: Double
    /// `result_created`.
    public var created: Date
    /// Who wrote it.
    public var workerID: String
    /// The error, as `kind: message`. nil if there is none.
    public var error: String?

    package init(
        resultID: Int, service: String, status: ResultStatus, processingTime: Double, created: Date, workerID: String,
        error: String? = nil
    ) {
        self.resultID = resultID
        self.service = service
        self.status = status
        self.processingTime = processingTime
        self.created = created
        self.workerID = workerID
        self.error = error
    }
}

/// How far the index lags behind the rows, in ids of the tables that it follows; 0: not at all.
public struct IndexLag: Sendable, Equatable {
    /// How many of the newest images are found by no filter yet.
    public var images: Int
    /// How many new rows of `results` and `consensus` may change what an image is found by.
    public var rows: Int

    package init(images: Int = 0, rows: Int = 0) {
        self.images = images
        self.rows = rows
    }
}
