import Foundation
import Harmony
import Logging
import Model
import Pictures
import Pipeline
import Waiting

/// Crops the merged boxes of an image in memory, and sends the crops to the colour, face and pose services.
public struct Enricher: StageHandler {
    /// The result for one image.
    public struct Outcome: Sendable {
        var rows: [Enrichment] = []
        var missing: [MissingEnrichment] = []
        /// How many questions had an error as their answer before.
        var askedAgain = 0
        /// Whether a drain ended it. Then the trigger goes back, and nothing is written.
        var isCancelled = false
    }

    /// The result of one question: a row, or a pair that waits for its service.
    private enum Reply {
        case row(Enrichment)
        case missing(MissingEnrichment)
    }

    /// A box, and a service that is to analyse its crop.
    private struct Question {
        var merged: StoredBox
        var box: MergedBox
        var service: any AnalysisService
    }

    private static let jpegQuality = 90

    let identity: RoleIdentity
    /// The crop services, by name.
    let services: [String: any AnalysisService]
    let store: any ResultStore
    let pictures: PictureLoader
    let time: any Timekeeper
    let missing: BackfillSignal
    /// Whether crops that failed for good are asked about once more.
    let asksAgain: Bool
    private let admission: TriggerAdmission

    package init(
        identity: RoleIdentity, services: [any AnalysisService], store: any ResultStore, pictures: PictureLoader,
        time: any Timekeeper, missing: BackfillSignal, asksAgain: Bool = false
    ) {
        self.identity = identity
        self.services = Dictionary(services.map { ($0.name, $0) }) { first, _ in first }
        self.store = store
        self.pictures = pictures
        self.time = time
        self.missing = missing
        self.asksAgain = asksAgain
        admission = TriggerAdmission(identity: identity, store: store, time: time)
    }

    /// Triggers of one image are handled as one.
    public var coalesces: Bool { true }

    /// The enricher writes enrichments.
    public var plainRow: PlainRow { .enrichment }

    /// The image of the trigger.
    public func image(of work: EnrichmentWork) -> ImageID { work.image.id }

    /// Admits the triggers.
    public func admit(_ deliveries: [Delivery]) async throws -> [Admission<ImageID, EnrichmentWork>] {
        let admissions = try await admission.admit(deliveries)
        let images: [Image] = admissions.compactMap { if case .work(_, let work) = $0 { work.image } else { nil } }
        let works = try await store.enrichmentWork(of: distinct(images))
        let byImage = Dictionary(works.map { ($0.image.id, $0) }) { first, _ in first }
        return admissions.map { admission in
            switch admission {
            case .settled(let verdict): .settled(verdict)
            case .work(let id, let work):
                .work(id, byImage[id] ?? EnrichmentWork(image: work.image, boxes: [], present: []))
            }
        }
    }

    /// True: a trigger that came while its image's crops are being analysed would have them analysed again.
    public var handlesOneAtATime: Bool { true }

    // MARK: Handle

    /// Crops the boxes and asks the services.
    public func handle(_ work: EnrichmentWork) async -> Outcome {
        var outcome = Outcome()
        var questions: [Question] = []
        for question in self.questions(of: work) {
            // A service that is down is not waited for. The pair is noted and triggered again later.
            if await question.service.outage() == nil {
                questions.append(question)
            } else {
                outcome.missing.append(note(question, work))
            }
        }
        outcome.askedAgain = askedAgain(questions, work)
        guard !questions.isEmpty else { return outcome }
        let boxes = distinctBoxes(questions)
        let began = time.now()
        do throws(PictureTrouble) {
            let crops = try await crops(of: boxes.map(\.box.bbox), work.image, heldSince: began)
            var places: [Int: Int] = [:]
            for (place, box) in boxes.enumerated() { places[box.merged.mergedID] = place }
            let replies = await ask(questions, work, heldSince: began) { question throws(PictureFault) in
                let place = places[question.merged.mergedID]
                if let crop = place.flatMap({ crops.crops[$0] }) { return crop }
                throw place.flatMap { crops.faults[$0] }
                    ?? PictureFault(.image, "box \(question.box.clusterID) lies outside the image")
            }
            for reply in replies {
                switch reply {
                case .row(let row): outcome.rows.append(row)
                case .missing(let pair): outcome.missing.append(pair)
                }
            }
        } catch {
            switch error {
            case .failed(let fault, let tries):
                outcome.rows += questions.map { failed($0, work, fault.kind, fault.message, tries: tries) }
            case .later(let source, _):
                let name = PictureLoader.name(of: source)
                outcome.missing += boxes.map {
                    MissingEnrichment(imageID: work.image.id, mergedID: $0.merged.mergedID, service: name)
                }
            case .cancelled: outcome.isCancelled = true
            }
        }
        if Task.isCancelled { outcome.isCancelled = true }
        return outcome
    }

    /// The questions that have no answer yet, for each present box and each service it needs. A picture that could not
    /// be cropped is not tried again unless somebody asks for it.
    private func questions(of work: EnrichmentWork) -> [Question] {
        let settled = Set(
            work.present.filter { $0.status != .error || !asksAgain && Enrichment.isFinal($0.data) }
                .map { MissingEnrichment(imageID: work.image.id, mergedID: $0.mergedID, service: $0.service) })
        return work.boxes.flatMap { stored -> [Question] in
            guard let box = stored.box else { return [] }
            let names = isPerson(label: box.label, emoji: box.emoji) ? Enrichment.services : ["colors"]
            return names.compactMap { name in
                let pair = MissingEnrichment(imageID: work.image.id, mergedID: stored.mergedID, service: name)
                guard !settled.contains(pair), let service = services[name] else { return nil }
                return Question(merged: stored, box: box, service: service)
            }
        }
    }

    private func distinctBoxes(_ questions: [Question]) -> [Question] {
        var seen: Set<Int> = []
        return questions.filter { seen.insert($0.merged.mergedID).inserted }
    }

    private func askedAgain(_ questions: [Question], _ work: EnrichmentWork) -> Int {
        let failed = Set(work.present.filter { $0.status == .error }.map { "\($0.mergedID) \($0.service)" })
        return questions.count { failed.contains("\($0.merged.mergedID) \($0.service.name)") }
    }

    private func crops(of boxes: [Box], _ image: Image, heldSince: Date) async throws(PictureTrouble) -> Crops {
        let cropper = pictures.cropper
        let cut = { @Sendable (picture: PictureSource) async throws(PictureFault) -> Crops in
            try await cropper.crop(picture, to: boxes, quality: Enricher.jpegQuality)
        }
        let url = image.url.flatMap { $0.isEmpty ? nil : $0 }
        if let path = image.path, !path.isEmpty {
            // The path may be another machine's. The URL leads to the picture, too.
            let isHere = if url == nil { true } else { (try? await cropper.inspect(.file(path))) != nil }
            if isHere {
                return try await pictures.file(path, heldSince: heldSince) { () async throws(PictureFault) in
                    try await cut(.file(path))
                }
            }
        }
        guard let url else {
            let message = "image \(image.id) has neither image_path nor image_url"
            throw .failed(PictureFault(.image, message), tries: 0)
        }
        let bytes = try await pictures.fetch(url, heldSince: heldSince)
        do { return try await cut(.bytes(bytes)) } catch { throw .failed(error, tries: 0) }
    }

    /// Asks all questions at once. Each service limits its own calls in flight.
    /// - Parameter crop: throws for a box that has none.
    private func ask(
        _ questions: [Question], _ work: EnrichmentWork, heldSince: Date,
        crop: (Question) throws(PictureFault) -> Crop
    ) async -> [Reply] {
        await withTaskGroup(of: Reply.self) { group in
            for question in questions {
                do throws(PictureFault) {
                    let crop = try crop(question)
                    group.addTask { await answer(to: question, crop, work, heldSince) }
                } catch {
                    group.addTask { .row(failed(question, work, error.kind, error.message)) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func answer(
        to question: Question, _ crop: Crop, _ work: EnrichmentWork, _ heldSince: Date
    ) async -> Reply {
        let key = "\(work.image.id)/\(question.merged.mergedID)/\(question.service.name)"
        let subject = AnalysisSubject.picture(jpeg: crop.jpeg, filename: "\(question.box.clusterID).jpg")
        let id = UUID(namespace: .farm, name: key.utf8)
        var outcome = await question.service.analyze(subject, key: id, heldSince: heldSince)
        // Without a queue, nobody would try again.
        if asksAgain, case .undecided = outcome {
            outcome = await question.service.analyze(subject, key: id, heldSince: heldSince)
        }
        switch outcome {
        case .unavailable, .undecided: return .missing(note(question, work))
        case .failed(let failure):
            return .row(
                failed(
                    question, work, failure.kind, failure.message, httpStatus: failure.httpStatus, tries: failure.tries)
            )
        case .answered(let answer):
            let json = answer.json
            let isEmpty = json["predictions"]?.arrayValue?.isEmpty ?? true
            let placed = CropAnswer(json, area: crop.area).placed
            return .row(
                Enrichment(
                    imageID: work.image.id, mergedID: question.merged.mergedID, service: question.service.name,
                    data: described(placed, question, crop), status: isEmpty ? .empty : .success))
        }
    }

    private func described(_ answer: JSON, _ question: Question, _ crop: Crop?) -> JSON {
        .object(
            (answer.objectValue ?? []) + [
                JSON.Member("crop", crop?.area.json ?? .null),
                JSON.Member("cluster_id", .string(question.box.clusterID)),
                JSON.Member("label", .string(question.box.label)),
            ])
    }

    private func failed(
        _ question: Question, _ work: EnrichmentWork, _ kind: FailureKind, _ message: String, httpStatus: Int? = nil,
        tries: Int = 0
    ) -> Enrichment {
        let failure = AnalysisFailure(
            kind: kind, message: message, httpStatus: httpStatus, tries: tries, firstFailure: time.now())
        return Enrichment(
            imageID: work.image.id, mergedID: question.merged.mergedID, service: question.service.name,
            data: described(failure.json, question, nil), status: .error)
    }

    private func note(_ question: Question, _ work: EnrichmentWork) -> MissingEnrichment {
        MissingEnrichment(imageID: work.image.id, mergedID: question.merged.mergedID, service: question.service.name)
    }

    // MARK: Commit

    /// Writes the enrichments of the group.
    public func commit(_ group: [(work: EnrichmentWork, outcome: Outcome)]) async throws -> [Verdict] {
        let whole = group.filter { !$0.outcome.isCancelled }
        if !whole.isEmpty {
            try await store.recordEnrichments(
                whole.flatMap(\.outcome.rows), missing: whole.flatMap(\.outcome.missing),
                of: Dictionary(whole.map { ($0.work.image.id, $0.work.boxes.map(\.mergedID)) }) { $0 + $1 })
            missing.noted(Set(whole.flatMap(\.outcome.missing).map(\.service)))
        }
        return group.map { work, outcome in
            outcome.isCancelled
                ? Verdict(.back(after: .zero))
                : Verdict(.done, publish: [identity.trigger(.consensus, image: work.image, at: time.now())])
        }
    }
}
