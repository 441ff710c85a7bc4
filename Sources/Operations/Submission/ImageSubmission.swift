import Foundation
import ImageLists
import Model
import Pipeline
import Roles
import Waiting

/// Hands images in, one at a time, and asks services about them.
///
/// Every step may be repeated, and a crash between two of them loses nothing: an image is known by its path or URL, and
/// the id of a job is made of the image, the service and the caller's key. So whoever sends the same again gets the same
/// image and the same jobs, and a job that has its row is not submitted again.
package struct ImageSubmission: Sendable {
    /// A job, and whether it is in its queue because of this call.
    package struct SubmittedJob: Sendable, Equatable {
        /// The service that is asked.
        package var service: String
        /// Its id.
        package var jobID: UUID
        /// Its row is there already, so it was not submitted again.
        package var isRecorded: Bool
    }

    let store: Store
    let queue: Queue
    let time: any Timekeeper
    /// What the jobs belong to; nil: nothing.
    let trace: TraceContext?

    /// A submission to this queue.
    package init(store: Store, queue: Queue, time: any Timekeeper, trace: TraceContext? = nil) {
        self.store = store
        self.queue = queue
        self.time = time
        self.trace = trace
    }

    /// Puts one image into the catalogue, unless it is there.
    /// - Parameters:
    ///   - place: a path or URL.
    ///   - group: of an image that is new.
    ///   - cropper: looks at a file, as an import does.
    /// - Returns: the image, and whether it is new.
    /// - Throws: `OperationFault`, `refused`, with the reason; `PortFault`.
    package func add(
        _ place: String, to group: String?, looking cropper: any ImageCropper
    ) async throws -> (image: Image, isNew: Bool) {
        let found = await ImageList(group: group, cropper: cropper).single(place)
        guard let new = found.images.first else {
            // Whoever may hand images in need not be allowed to read files.
            let skipped = found.skipped.first
            throw OperationFault.refused(skipped?.outline ?? skipped?.reason ?? "it is no image")
        }
        return try await add(new)
    }

    /// Puts one image into the catalogue, unless it is there.
    /// - Returns: the image, and whether it is new.
    /// - Throws: `OperationFault`, `PortFault`.
    package func add(_ new: NewImage) async throws -> (image: Image, isNew: Bool) {
        let answer = try await store.add([new], move: false)
        guard let id = answer.ids.first, let image = try await store.images([id])[id] else {
            throw OperationFault.failed("the image was removed at the same moment: send it again")
        }
        return (image, answer.counts.added > 0)
    }

    /// Whether a service can fetch it: an http or https URL with a host.
    package static func isURL(_ text: String) -> Bool { ImageList.isURL(text) }

    /// Submits a job to each of these services.
    /// - Parameter key: the same key gives the same jobs; nil: those of the image's first submission.
    /// - Throws: `PortFault` where not all are known to be in their queues: to be called again.
    package func submit(_ image: Image, to targets: [Target], key: String?) async throws -> [SubmittedJob] {
        let ids = targets.map { ImageSubmission.jobID(image.id, $0.service, key) }
        let standings = try await store.standing(
            of: ids.map { JobKey(imageID: image.id, jobID: $0, redelivered: false) }, workerID: "")
        let jobs = zip(zip(targets, ids), standings).map {
            pair, standing -> (target: Target, id: UUID, isRecorded: Bool) in
            if case .recorded = standing { return (target: pair.0, id: pair.1, isRecorded: true) }
            return (target: pair.0, id: pair.1, isRecorded: false)
        }
        let headers = trace.map { [TraceContext.header: $0.text] } ?? [:]
        let now = time.now()
        try await queue.publish(
            jobs.filter { !$0.isRecorded }.map { job in
                let body = Job(
                    image: image, service: job.target.service, queue: job.target.queue, jobID: job.id, now: now)
                return Message(queue: job.target.queue, body: body.body, headers: headers)
            })
        return jobs.map { SubmittedJob(service: $0.target.service, jobID: $0.id, isRecorded: $0.isRecorded) }
    }

    /// Promises to post what is known of the image to a URL, once these jobs are done.
    /// - Returns: the promise, which is in its queue then. The same jobs, URL and goal give the same id.
    /// - Throws: `PortFault` where it is not known to be in its queue: to be called again.
    package func promise(
        _ url: String, when goal: ImageGoal, of image: Image, _ jobs: [SubmittedJob]
    ) async throws -> Callback {
        let ids = Dictionary(jobs.map { ($0.service, $0.jobID) }) { first, _ in first }
        let all = ids.sorted { $0.key < $1.key }.map(\.value.text).joined(separator: "\n")
        let name = "callback\n\(image.id)\n\(goal.rawValue)\n\(all)\n\(url)"
        let callback = Callback(
            id: UUID(namespace: .farm, name: name.utf8), imageID: image.id, imageFilename: image.filename, url: url,
            until: goal, jobs: ids, acceptedAt: time.now())
        let headers = trace.map { [TraceContext.header: $0.text] } ?? [:]
        try await queue.publish([Message(queue: Callback.queue, body: callback.body, headers: headers)])
        return callback
    }

    /// Writes down that services were asked about an image once more.
    /// - Throws: `PortFault`.
    package func audit(_ jobs: [SubmittedJob], of image: ImageID, by who: String) async throws {
        let asked = jobs.filter { !$0.isRecorded }.map(\.service)
        guard !asked.isEmpty else { return }
        let filter = "image \(image): \(asked.joined(separator: ", "))".printable(upTo: 300)
        try await store.audit(AuditEntry(who: who, act: "rerun", filter: filter, count: asked.count))
    }

    private static func jobID(_ image: ImageID, _ service: String, _ key: String?) -> UUID {
        UUID(namespace: .farm, name: "submission\n\(image)\n\(service)\n\(key ?? "")".utf8)
    }
}

extension ImageSubmission.SubmittedJob {
    /// As the API has it (spec section 12).
    package var json: JSON {
        .object([
            "service": .string(service), "job_id": .string(jobID.text),
            "status": isRecorded ? "recorded" : "submitted",
        ])
    }
}
