import Foundation

/// How far an image must be before somebody who waits for it hears of it.
public enum ImageGoal: String, Sendable, CaseIterable {
    /// A row of every expected service.
    case primary
    /// And a consensus that rests on them.
    case consensus
}

/// The promise to post what is known of an image to a URL once its jobs are done: the message in `queue_callbacks`.
public struct Callback: Sendable, Equatable {
    /// Its name among services and roles.
    public static let service = "callbacks"
    /// The queue of these messages.
    public static let queue = "queue_callbacks"

    /// Identifies it to the receiver. It stays the same however often it is posted.
    public var id: UUID
    /// The id of the image.
    public var imageID: ImageID
    /// The image's file name, for people.
    public var imageFilename: String?
    /// Where it is posted to.
    public var url: String
    /// What is waited for.
    public var until: ImageGoal
    /// The job of each service that was asked.
    public var jobs: [String: UUID]
    /// When it was promised.
    public var acceptedAt: Date

    package init(
        id: UUID, imageID: ImageID, imageFilename: String?, url: String, until: ImageGoal, jobs: [String: UUID],
        acceptedAt: Date
    ) {
        self.id = id
        self.imageID = imageID
        self.imageFilename = imageFilename
        self.url = url
        self.until = until
        self.jobs = jobs
        self.acceptedAt = acceptedAt
    }

    /// The services that were asked, sorted.
    public var services: [String] { jobs.keys.sorted() }

    /// The message body.
    public var body: [UInt8] {
        let jobs = jobs.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value.text)) }
        let members: KeyValuePairs<String, JSON> = [
            "image_id": .int(Int64(imageID)), "image_filename": .optional(imageFilename),
            "callback_id": .string(id.text), "url": .string(url), "until": .string(until.rawValue),
            "jobs": .object(jobs), "accepted_at": .string(Timestamp.iso8601(acceptedAt)),
        ]
        return JSON.object(members.map { JSON.Member($0.key, $0.value) }).bytes
    }

    /// Reads a message of the queue.
    public init(body: [UInt8]) throws(MessageFault) {
        let (json, imageID) = try MessageFault.read(body)
        func text(_ name: String) throws(MessageFault) -> String {
            guard let text = json[name]?.stringValue else { throw MessageFault("no \(name)") }
            return text
        }
        guard let id = UUID(uuidString: try text("callback_id")) else { throw MessageFault("callback_id is no UUID") }
        guard let until = ImageGoal(rawValue: try text("until")) else { throw MessageFault("until is unknown") }
        guard let acceptedAt = Timestamp.date(try text("accepted_at")) else {
            throw MessageFault("accepted_at is no time in UTC")
        }
        var jobs: [String: UUID] = [:]
        for member in json["jobs"]?.objectValue ?? [] {
            guard let job = member.value.stringValue.flatMap(UUID.init(uuidString:)) else {
                throw MessageFault("a job of jobs is no UUID")
            }
            jobs[member.key] = job
        }
        guard !jobs.isEmpty else { throw MessageFault("no jobs") }
        self.init(
            id: id, imageID: imageID, imageFilename: json["image_filename"]?.stringValue, url: try text("url"),
            until: until, jobs: jobs, acceptedAt: acceptedAt)
    }
}
