import Foundation
import Logging
import Model
import Pictures
import Pipeline
import Waiting

/// How a worker passes the picture of a job to the service.
public enum Transport: String, Sendable, CaseIterable {
    /// The URL if there is one, otherwise the file.
    case auto
    case url
    case file
}

/// What the worker of one service needs to know.
public struct WorkerOptions: Sendable {
    /// The worker's identity.
    public var identity: RoleIdentity
    /// The name of its queue.
    public var queue: String
    /// How the picture is passed to the service.
    public var transport: Transport
    /// The formats that are posted unchanged. Others are posted as JPEG.
    public var accepts: Set<PictureFormat>
    /// Whether its boxes are merged, so that its results trigger the merger. Others trigger the consensus.
    public var isDetector: Bool
    /// A pause after each job.
    public var processingDelay: Duration

    package init(
        identity: RoleIdentity, queue: String, transport: Transport = .auto,
        accepts: Set<PictureFormat> = PictureFormat.common, isDetector: Bool, processingDelay: Duration = .zero
    ) {
        self.identity = identity
        self.queue = queue
        self.transport = transport
        self.accepts = accepts
        self.isDetector = isDetector
        self.processingDelay = processingDelay
    }
}

/// A job that was admitted, with its image.
public struct WorkerJob: Sendable {
    var job: Job
    var image: Image
    var redelivered: Bool
    /// Known once it is begun.
    var deaths = 0
}

/// The worker of one ML service: takes its jobs, calls it, stores the answers, and publishes the triggers that follow.
public struct Worker: StageHandler {
    /// A job over which this many processes died is not begun again.
    static let deathLimit = 5
    /// After a job failed without a verdict, how long others have the service to themselves before it is tried again.
    private static let undecidedDelay = Duration.seconds(1)

    /// The result of a job.
    public struct Outcome: Sendable {
        var analysis: AnalysisOutcome
        /// Whether it goes back because its picture is away, so that others pass it.
        var isPostponed = false
        /// How many seconds it was worked on, as the worker measured.
        var seconds = 0.0
    }

    let options: WorkerOptions
    let service: any AnalysisService
    let store: any ResultStore
    let pictures: PictureLoader
    let time: any Timekeeper
    /// Redelivered jobs that went back while the store took nothing, and that are still noted there as begun.
    private let owed = UntoldJobs()
    private let patience = Patience()

    private var identity: RoleIdentity { options.identity }

    package init(
        _ options: WorkerOptions, service: any AnalysisService, store: any ResultStore, pictures: PictureLoader,
        time: any Timekeeper
    ) {
        self.options = options
        self.service = service
        self.store = store
        self.pictures = pictures
        self.time = time
    }

    /// Whether the circuit breaker is closed.
    public var takesFreely: Bool { service.takesFreely }

    /// Waits until the circuit breaker lets jobs pass, and returns how many.
    public func permits() async throws -> Int { try await service.permits() }

    /// A result of this service.
    public var plainRow: PlainRow { .result(service: identity.serviceName, workerID: identity.workerID) }

    /// The image of the job.
    public func image(of task: WorkerJob) -> ImageID { task.image.id }

    /// The time of submission, as the producer wrote it.
    public func submittedAt(of task: WorkerJob) -> String? { task.job.submittedAt }

    // MARK: Admit

    /// Reads the jobs and asks the store about them.
    public func admit(_ deliveries: [Delivery]) async throws -> [Admission<UUID, WorkerJob>] {
        let jobs = deliveries.map { delivery in
            Result { () throws(MessageFault) in
                try Job(body: delivery.body, queue: options.queue, service: identity.serviceName)
            }
        }
        var keys: [JobKey] = []
        for job in jobs {
            guard let job = try? job.get() else { continue }
            keys.append(JobKey(imageID: job.imageID, jobID: job.jobID, redelivered: false))
        }
        var standings = try await store.standing(
            of: keys, workerID: identity.workerID, patience: patience.present
        ).makeIterator()
        return zip(jobs, deliveries).map { job, delivery in
            switch job {
            case .failure(let fault):
                return .settled(Verdict(.dead(identity.deadLetter("bad_message", fault.description, at: time.now()))))
            case .success(let job):
                return admission(
                    of: job, standing: standings.next() ?? .unknownImage, redelivered: delivery.redelivered)
            }
        }
    }

    private func admission(of job: Job, standing: JobStanding, redelivered: Bool) -> Admission<UUID, WorkerJob> {
        switch standing {
        case .unknownImage:
            return .settled(Verdict(.dead(identity.unknownImage(job.imageID, at: time.now()))))
        case .recorded(let status, let error):
            return .settled(
                verdict(on: Image(id: job.imageID, filename: job.imageFilename), status, error))
        case .open(let image, _) where !job.canBe(of: image):
            return .settled(Verdict(.dead(identity.otherImage(job, than: image, at: time.now()))))
        case .open(let image, _):
            return .work(job.jobID, WorkerJob(job: job, image: image, redelivered: redelivered))
        }
    }

    /// What follows from the row of a job.
    private func verdict(on image: Image, _ status: ResultStatus, _ error: JSON?) -> Verdict {
        guard status == .error else { return Verdict(.done, publish: [trigger(image)], isDuplicate: true) }
        let letter = identity.deadLetter(
            error?["kind"]?.stringValue ?? "error", error?["message"]?.stringValue ?? "failed before",
            tries: error?["tries"]?.integerValue ?? 0, at: time.now())
        return Verdict(.dead(letter), publish: [trigger(image)], isDuplicate: true)
    }

    private func trigger(_ image: Image) -> Message {
        identity.trigger(options.isDetector ? .merger : .consensus, image: image, at: time.now())
    }

    // MARK: Handle

    /// Notes that a redelivered job is begun, and how many processes have died over it. Only now, and not when it was taken: a
    /// process that dies must not count for the jobs that waited in it.
    /// - Returns: nil if the job has its row by now.
    public func beginning(_ task: WorkerJob) async throws -> WorkerJob? {
        guard task.redelivered else { return task }
        let key = JobKey(imageID: task.image.id, jobID: task.job.jobID, redelivered: true)
        guard case .open(_, let deaths)? = try await store.standing(of: [key], workerID: identity.workerID).first
        else { return nil }
        var task = task
        task.deaths = deaths
        return task
    }

    /// Calls the service.
    public func handle(_ task: WorkerJob) async -> Outcome {
        guard task.deaths < Worker.deathLimit else {
            let message = "\(task.deaths) processes died over this job"
            return Outcome(analysis: failure(.crashedWorker, message, tries: task.deaths))
        }
        let began = time.now()
        var outcome = await outcome(of: task)
        outcome.seconds = time.now().timeIntervalSince(began)
        if !outcome.isPostponed { pictures.rounds.passed(identity.serviceName) }
        if options.processingDelay > .zero { try? await time.sleep(options.processingDelay) }
        return outcome
    }

    private func outcome(of task: WorkerJob) async -> Outcome {
        do throws(PictureTrouble) {
            return Outcome(analysis: try await analyze(task))
        } catch {
            switch error {
            case .failed(let fault, let tries):
                return Outcome(analysis: failure(fault.kind, fault.message, tries: tries))
            case .later(let source, let reason):
                await pictures.rounds.postpone(identity.serviceName, source)
                return Outcome(analysis: .unavailable(reason), isPostponed: true)
            case .cancelled: return Outcome(analysis: .unavailable("cancelled"))
            }
        }
    }

    private func analyze(_ task: WorkerJob) async throws(PictureTrouble) -> AnalysisOutcome {
        let began = time.now()
        let subject = try await subject(of: task, heldSince: began)
        let outcome = await service.analyze(subject, key: task.job.jobID, heldSince: began)
        guard case .failed(let failure) = outcome, failure.kind == .image, case .file(let path) = subject else {
            return outcome
        }
        // It was there before the call. Another look shows whether it is away or broken.
        _ = try await look(at: path, heldSince: began)
        return await service.analyze(subject, key: task.job.jobID, heldSince: began)
    }

    private func look(at path: String, heldSince: Date) async throws(PictureTrouble) -> PictureHeader {
        let cropper = pictures.cropper
        return try await pictures.file(path, heldSince: heldSince) { () async throws(PictureFault) in
            try await cropper.inspect(.file(path))
        }
    }

    /// The file in a form that the service reads.
    private func subject(ofFile path: String, heldSince: Date) async throws(PictureTrouble) -> AnalysisSubject {
        let header = try await look(at: path, heldSince: heldSince)
        guard !options.accepts.contains(header.format) else { return .file(path: path) }
        let cropper = pictures.cropper
        return try await pictures.file(path, heldSince: heldSince) { () async throws(PictureFault) in
            try await cropper.jpeg(ofFile: path)
        }
    }

    private func failure(_ kind: FailureKind, _ message: String, tries: Int) -> AnalysisOutcome {
        .failed(AnalysisFailure(kind: kind, message: message, tries: tries, firstFailure: time.now()))
    }

    /// The message says where the picture is. What it leaves out is in the catalogue.
    private func subject(of task: WorkerJob, heldSince: Date) async throws(PictureTrouble) -> AnalysisSubject {
        let url = [task.job.imageURL, task.image.url].lazy.compactMap { $0 }.first { !$0.isEmpty }
        let path = [task.job.imagePath, task.image.path].lazy.compactMap { $0 }.first { !$0.isEmpty }
        switch (options.transport, url, path) {
        case (.auto, let url?, _), (.url, let url?, _): return .url(url)
        case (.auto, nil, let path?), (.file, _, let path?):
            return try await subject(ofFile: path, heldSince: heldSince)
        case (.url, nil, _): throw missing("image \(task.image.id) has no image_url")
        case (.file, _, nil): throw missing("image \(task.image.id) has no image_path")
        case (.auto, nil, nil): throw missing("image \(task.image.id) has neither image_url nor image_path")
        }
    }

    private func missing(_ message: String) -> PictureTrouble { .failed(PictureFault(.image, message), tries: 0) }

    // MARK: Commit

    /// Writes the results of the group.
    public func commit(_ group: [(work: WorkerJob, outcome: Outcome)]) async throws -> [Verdict] {
        let rows = group.compactMap { row(of: $0.work, $0.outcome.analysis) }
        assert(
            Set(rows.map(\.jobID)).isSubset(of: group.map(\.work.job.jobID)), "a row is of a job of this group")
        patience.learn(from: group.map(\.outcome.seconds))
        let known = rows.isEmpty ? [] : try await store.record(rows, patience: patience.present)
        assert(known.isSubset(of: rows.map(\.jobID)), "a store names only jobs whose rows it was given")
        let others = try await standings(of: group.map(\.work).filter { known.contains($0.job.jobID) })
        if others.values.contains(where: { if case .open = $0 { true } else { false } }) {
            throw PortFault(
                .refused, place: "results", message: "a row was taken and not kept: a trigger or rule drops it")
        }
        let begun = group.filter(\.work.redelivered).map(\.work.job.jobID)
        let earlier = owed.all
        if !begun.isEmpty || !earlier.isEmpty {
            try await store.settle(begun + earlier, workerID: identity.workerID)
            owed.paid(earlier)
        }
        return group.map { task, outcome in
            switch others[task.job.jobID] {
            case .recorded(let status, let error): verdict(on: task.image, status, error)
            case .unknownImage: Verdict(.dead(identity.unknownImage(task.image.id, at: time.now())))
            case .open, nil: verdict(on: task.image, outcome)
            }
        }
    }

    /// An error row with the store's own words, and nothing of the answer.
    public func refusal(of task: WorkerJob, _ fault: PortFault) -> Outcome? {
        // A trigger of another program may quote the whole row.
        Outcome(analysis: failure(.refused, String(fault.description.prefix(500)), tries: 1))
    }

    /// Remembers these jobs: nobody died over them.
    public func gaveBack(_ tasks: [WorkerJob]) { owed.add(tasks.filter(\.redelivered).map(\.job.jobID)) }

    private func verdict(on image: Image, _ outcome: Outcome) -> Verdict {
        switch outcome.analysis {
        case .answered: Verdict(.done, publish: [trigger(image)])
        case .unavailable: Verdict(.back(after: outcome.isPostponed ? PostponedPictures.delay : .zero))
        case .undecided: Verdict(.back(after: Worker.undecidedDelay))
        case .failed(let failure):
            Verdict(
                .dead(
                    DeadLetter(
                        reason: failure.kind.rawValue, message: failure.message, tries: failure.tries,
                        workerID: identity.workerID, firstFailure: failure.firstFailure)),
                publish: [trigger(image)])
        }
    }

    /// Another worker has done these jobs too, and its row stays. That row decides, or a job that failed would have no
    /// dead letter, and one that was answered would have one. Or the image was removed meanwhile.
    private func standings(of tasks: [WorkerJob]) async throws -> [UUID: JobStanding] {
        guard !tasks.isEmpty else { return [:] }
        let keys = tasks.map { JobKey(imageID: $0.image.id, jobID: $0.job.jobID, redelivered: false) }
        let standings = try await store.standing(of: keys, workerID: identity.workerID)
        return Dictionary(zip(keys.map(\.jobID), standings)) { first, _ in first }
    }

    private func row(of task: WorkerJob, _ outcome: AnalysisOutcome) -> AnalysisResult? {
        let (data, status, seconds): ([UInt8], ResultStatus, Double)
        switch outcome {
        case .answered(let answer): (data, status, seconds) = (answer.body, .success, answer.processingTime)
        case .failed(let failure):
            (data, status, seconds) = (failure.json.bytes, .error, failure.seconds)
        case .unavailable, .undecided: return nil
        }
        return AnalysisResult(
            imageID: task.image.id, service: identity.serviceName, data: data, status: status,
            processingTime: max(0, seconds),
            workerID: identity.workerID, jobID: task.job.jobID)
    }
}
