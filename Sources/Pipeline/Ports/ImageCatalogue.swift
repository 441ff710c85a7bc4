import Model

/// Errors that would come again at another try (spec section 5): those of kinds that are not tried again, and pictures that
/// were never asked for in vain. What was tried until no try was left is none of them, nor what another program wrote.
public enum FinalErrors {
    /// Whatever else the row says.
    public static let kinds = ["service_error", "bad_answer", "too_large", "crashed_worker", "refused"]
    /// With `tries` of 0.
    public static let untriedKind = FailureKind.image.rawValue
    /// With an `http_status` of 400 to 499 that is none of `passingStatuses`.
    public static let statusKind = FailureKind.http.rawValue
    /// May be another one at the next try.
    public static let passingStatuses = [408, 425, 429]
}

/// Which rows of `results` count as a service's answer.
public enum AnswerRule: Sendable, Equatable {
    /// The successful ones.
    case success
    /// Those of any status with a larger `result_id`: of jobs submitted after it was the largest.
    case newer(than: Int)
    /// The successful ones, and the newest one if it is an error that would come again (`FinalErrors`).
    case settled
    /// Either.
    case successOrNewer(than: Int)
    /// Either.
    case settledOrNewer(than: Int)
}

/// Which images a command is about.
public struct ImageFilter: Sendable, Equatable {
    /// nil: of every group and of none.
    public var group: String?
    /// Only these, if given.
    public var ids: [ImageID]?
    /// Only images that lack an answer of one of these services.
    public var lacking: [String]?
    /// What counts as an answer.
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

/// An image, and the services of `ImageFilter.lacking` that it lacks.
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

/// How much is left to submit.
public struct Lack: Sendable, Equatable {
    /// Images that lack an answer of a service.
    public var images: Int
    /// The answers that they lack together.
    public var jobs: Int
    /// What counts as answered because it has failed for good, by service.
    public var failed: [String: Int]

    package init(images: Int = 0, jobs: Int = 0, failed: [String: Int] = [:]) {
        self.images = images
        self.jobs = jobs
        self.failed = failed
    }
}

/// The images. All throw `PortFault`.
public protocol ImageCatalogue: Sendable {
    /// Adds those that are not there; an image is known by its path, else its URL, else, where it has neither, its filename.
    /// - Parameters:
    ///   - move: puts those that are there into the named group.
    ///   - update: writes the paths and URLs that differ.
    func add(_ images: [NewImage], move: Bool, update: Bool) async throws -> ImportAnswer

    /// Gives a group to all rows that have none.
    /// - Returns: how many had none.
    func assignGroup(_ group: String) async throws -> Int

    /// The next images by ascending id.
    func images(_ filter: ImageFilter, after: ImageID, limit: Int) async throws -> [ListedImage]

    func count(_ filter: ImageFilter) async throws -> Int

    /// How many images of the filter have a final error of a service as its newest result, and no success, by service:
    /// what `AnswerRule.settled` takes for an answer and `AnswerRule.success` does not.
    func finalErrors(_ filter: ImageFilter, of services: [String]) async throws -> [String: Int]

    /// How much these services lack: what has no success, and has not failed for good.
    /// - Parameters:
    ///   - failed: what has failed for good lacks an answer, too.
    ///   - limit: of images, by ascending id.
    func lack(of services: [String], in group: String?, failed: Bool, limit: Int?) async throws -> Lack

    /// The largest id; 0 if there is no image.
    func newestID() async throws -> ImageID

    /// The largest `result_id`; 0 if there is no result.
    func newestResultID() async throws -> Int

    /// Images by id (digits), absolute path, URL or filename: all that match.
    func find(_ text: String) async throws -> [Image]
}
