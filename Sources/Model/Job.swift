import Foundation

/// One image and one service: the message in `queue_<service>` (spec section 3).
public struct Job: Sendable, Equatable {
    /// The id of the image.
    public var imageID: ImageID
    /// The image's file name, for people.
    public var imageFilename: String?
    /// The path of the file, for a machine that has it.
    public var imagePath: String?
    /// The URL from which a service fetches the image.
    public var imageURL: String?
    /// The time of submission as the producer wrote it: ISO 8601.
    public var submittedAt: String?
    /// The name of the service.
    public var serviceName: String
    /// The queue it was submitted to.
    public var queueName: String
    /// The id of the job, unique within the image.
    public var jobID: UUID

    package init(
        imageID: ImageID, imageFilename: String?, imagePath: String?, imageURL: String?, submittedAt: String?,
        serviceName: String, queueName: String, jobID: UUID
    ) {
        self.imageID = imageID
        self.imageFilename = imageFilename
        self.imagePath = imagePath
        self.imageURL = imageURL
        self.submittedAt = submittedAt
        self.serviceName = serviceName
        self.queueName = queueName
        self.jobID = jobID
    }

    /// The job of an image for a service, submitted now.
    public init(image: Image, service: String, queue: String, jobID: UUID = UUID(), now: Date) {
        self.init(
            imageID: image.id, imageFilename: image.filename, imagePath: image.path, imageURL: image.url,
            submittedAt: Timestamp.iso8601(now), serviceName: service, queueName: queue, jobID: jobID)
    }

    /// The message body.
    public var body: [UInt8] {
        let known: KeyValuePairs<String, JSON> = [
            "image_id": .int(Int64(imageID)), "image_filename": .optional(imageFilename),
            "image_path": .optional(imagePath), "image_url": .optional(imageURL),
            "submitted_at": .optional(submittedAt),
            "service_name": .string(serviceName), "queue_name": .string(queueName), "job_id": .string(jobID.text),
        ]
        return JSON.object(known.map { JSON.Member($0.key, $0.value) }).bytes
    }

    /// The body of a job's message with another id. Everything else stays as it was. A body that is no JSON object is
    /// not changed.
    public static func body(_ body: [UInt8], renamed jobID: UUID) -> [UInt8] {
        guard let members = (try? JSON(parsing: body))?.objectValue else { return body }
        let member = JSON.Member("job_id", .string(jobID.text))
        guard let place = members.firstIndex(where: { $0.key == member.key }) else {
            return JSON.object(members + [member]).bytes
        }
        // If a key were there twice, each reader would decide which one counts.
        let others = members[(place + 1)...].filter { $0.key != member.key }
        return JSON.object(members[..<place] + [member] + others).bytes
    }

    /// Whether the job's path, URL and file name fit this image. A database that was restored, or that belongs to
    /// another farm, has given its ids to other images.
    public func canBe(of image: Image) -> Bool {
        let mine = PictureNames(filename: imageFilename, path: imagePath, url: imageURL)
        let theirs = PictureNames(filename: image.filename, path: image.path, url: image.url)
        return mine.all.isEmpty || theirs.all.isEmpty || !mine.all.isDisjoint(with: theirs.all)
    }

    /// Reads a message that came from `queue`, which belongs to `service`. A message without a usable `job_id` (from
    /// another program) gets a version 5 UUID made from its bytes and its queue, so that equal bytes are the same job.
    public init(body: [UInt8], queue: String, service: String) throws(MessageFault) {
        let (json, imageID) = try MessageFault.read(body)
        self.init(
            imageID: imageID, imageFilename: json["image_filename"]?.stringValue,
            imagePath: json["image_path"]?.stringValue,
            imageURL: json["image_url"]?.stringValue, submittedAt: json["submitted_at"]?.stringValue,
            serviceName: json["service_name"]?.stringValue ?? service,
            queueName: json["queue_name"]?.stringValue ?? queue,
            jobID: json["job_id"]?.stringValue.flatMap(UUID.init(uuidString:))
                ?? UUID(namespace: .farm, name: body + Array(queue.utf8)))
    }
}

/// "Image N changed": the message in the merge, enrichment and consensus queues.
public struct Trigger: Sendable, Equatable {
    /// The id of the image.
    public var imageID: ImageID
    /// The image's file name, for people.
    public var imageFilename: String?
    /// What changed the image: the service, or `bbox_merger`, `spatial_enrichment`.
    public var service: String
    /// The id of the worker that wrote it, at most 50 characters.
    public var workerID: String
    /// When it was written: ISO 8601.
    public var processedAt: String

    package init(imageID: ImageID, imageFilename: String?, service: String, workerID: String, processedAt: Date) {
        self.imageID = imageID
        self.imageFilename = imageFilename
        self.service = service
        self.workerID = workerID
        self.processedAt = Timestamp.iso8601(processedAt)
    }

    /// The message body.
    public var body: [UInt8] {
        JSON.object([
            "image_id": .int(Int64(imageID)), "image_filename": .optional(imageFilename), "service": .string(service),
            "worker_id": .string(workerID), "processed_at": .string(processedAt),
        ]).bytes
    }

    /// Reads a trigger. Only `image_id` is required.
    public init(body: [UInt8]) throws(MessageFault) {
        let (json, imageID) = try MessageFault.read(body)
        self.imageID = imageID
        imageFilename = json["image_filename"]?.stringValue
        service = json["service"]?.stringValue ?? ""
        workerID = json["worker_id"]?.stringValue ?? ""
        processedAt = json["processed_at"]?.stringValue ?? ""
    }
}

/// Why a message is no job or no trigger.
public struct MessageFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// One line for people.
    public var description: String

    package init(_ description: String) { self.description = description }

    static func read(_ body: [UInt8]) throws(MessageFault) -> (JSON, ImageID) {
        let json: JSON
        do { json = try JSON(parsing: body) } catch { throw MessageFault("not JSON: \(error)") }
        guard case .object = json else { throw MessageFault("JSON, but not an object") }
        guard let field = json["image_id"] else { throw MessageFault("no image_id") }
        guard let imageID = field.integerValue, imageID > 0 else {
            throw MessageFault("image_id is not a positive whole number")
        }
        return (json, imageID)
    }
}
