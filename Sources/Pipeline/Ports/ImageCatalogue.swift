import Model

/// Errors that would come again if the job were tried again (spec section 5): errors of kinds that are not retried, and
/// pictures that no retry was made for. Errors that remained after the last retry are not final, nor are those that
/// another program wrote.
public enum FinalErrors {
    /// The kinds that are always final.
    public static let kinds = ["service_error", "bad_answer", "too_large", "crashed_worker", "refused"]
    /// Final if `tries` is 0.
    public static let untriedKind = FailureKind.image.rawValue
    /// Final if `http_status` is between 400 and 499 and not one of `passingStatuses`.
    public static let statusKind = FailureKind.http.rawValue
    /// Statuses that may change at the next try.
    public static let passingStatuses = [408, 425, 429]
}

/// Which rows of `results` count as a service's answer.
public enum AnswerRule: Sendable, Equatable {
    /// A successful row counts.
    case success
    /// A row of any status with a larger `result_id` counts, that is, one of a job submitted after this id was the
    /// largest.
    case newer(than: Int)
    /// A successful row counts, and so does the newest row if it is a final error (`FinalErrors`).
    case settled
    /// `success` or `newer`.
    case successOrNewer(than: Int)
    /// `settled` or `newer`.
    case settledOrNewer(than: Int)

    /// Whether any success counts as an answer.
    package var takesSuccess: Bool {
        switch self {
        case .success, .settled, .successOrNewer, .settledOrNewer: true
        case .newer: false
        }
    }
}

/// Which images a command is about.
public struct ImageFilter: Sendable, Equatable {
    /// nil for images of any group or none.
    public var group: String?
    /// If given, only these images.
    public var ids: [ImageID]?
    /// If given, only images that lack an answer of one of these services.
    public var lacking: [String]?
    /// Which rows count as an answer.
    public var answers: AnswerRule

    package init(
        group: String? = nil, ids: [ImageID]? = nil, lacking: [String]? = nil, answers: AnswerRule = .success
    ) {
        self.group = group
        self.ids = ids
        self.lacking = lacking
        self.answers = answers
    }
}

/// An image, and which services of `ImageFilter.lacking` it lacks.
public struct ListedImage: Sendable, Equatable {
    /// The row of `images`.
    public var image: Image
    /// In the order of the filter.
    public var lacking: [String]

    package init(image: Image, lacking: [String] = []) {
        self.image = image
        self.lacking = lacking
    }
}

/// How many answers have still to be asked for.
public struct Lack: Sendable, Equatable {
    /// Images that lack an answer of at least one service.
    public var images: Int
    /// How many answers they lack in total.
    public var jobs: Int
    /// How many answers count as given because they failed for good, by service.
    public var failed: [String: Int]

    package init(images: Int = 0, jobs: Int = 0, failed: [String: Int] = [:]) {
        self.images = images
        self.jobs = jobs
        self.failed = failed
    }
}

/// The images. All methods throw `PortFault`.
public protocol ImageCatalogue: Sendable {
    /// Adds the images that are not there. An image is identified by its path; without a path, by its URL; without
    /// either, by its filename.
    /// - Parameters:
    ///   - move: whether images that are there are put into the named group.
    ///   - update: whether paths and URLs that differ are written.
    func add(_ images: [NewImage], move: Bool, update: Bool) async throws -> ImportAnswer

    /// Gives a group to all images that have none.
    /// - Returns: how many had none.
    func assignGroup(_ group: String) async throws -> Int

    /// The next images by ascending id.
    func images(_ filter: ImageFilter, after: ImageID, limit: Int) async throws -> [ListedImage]

    func count(_ filter: ImageFilter) async throws -> Int

    /// How many images of the filter have a final error as a service's newest result, and no success, by service. These
    /// are answers for `AnswerRule.settled`, but not for `AnswerRule.success`.
    func finalErrors(_ filter: ImageFilter, of services: [String]) async throws -> [String: Int]

    /// How many answers of these services are missing. An answer is missing if there is no success and no final
    /// failure.
    /// - Parameters:
    ///   - failed: whether an answer that failed for good is missing too.
    ///   - limit: how many images are looked at, by ascending id.
    func lack(of services: [String], in group: String?, failed: Bool, limit: Int?) async throws -> Lack

    /// The largest id. 0 if there is no image.
    func newestID() async throws -> ImageID

    /// The largest `result_id`. 0 if there is no result.
    func newestResultID() async throws -> Int

    /// All images with this id (digits), absolute path, URL or filename.
    func find(_ text: String) async throws -> [Image]
}
