import Foundation
import Harmony
import ImageLists
import Model
import Pictures
import Pipeline
import Roles
import Waiting

/// The service of a trial.
struct TriedService: Sendable {
    /// Its name.
    var name: String
    /// `host:port`.
    var address: String
    /// What its answers count as.
    var evidence: Evidence
    /// How it gets a picture.
    var transport: Transport
    /// What is posted to it as it is.
    var accepts: Set<PictureFormat>
}

/// One call of one service, as a worker makes it; nothing is stored.
struct ServiceTrial: Sendable {
    /// What became of it.
    enum Outcome: Sendable {
        case answered(TryReport)
        case failed(AnalysisFailure)
    }

    let service: TriedService
    /// Calls the service once.
    let caller: any AnalysisService
    let cropper: any ImageCropper
    let merging: MergingOptions
    let time: any Timekeeper

    /// - Parameter photo: a file, or its URL.
    func run(_ photo: String) async -> Outcome {
        let failure: AnalysisFailure
        do {
            switch await caller.analyze(try await subject(photo), key: UUID()) {
            case .answered(let answer): return .answered(report(answer))
            case .failed(let reason), .undecided(let reason): failure = reason
            case .unavailable(let reason): failure = unasked(.connection, reason)
            }
        } catch {
            failure = unasked(error.kind, error.message)
        }
        return .failed(failure)
    }

    /// As `farm try --json` has a failure.
    func json(of failure: AnalysisFailure) -> JSON {
        .object([
            "service": .string(service.name), "address": .string(service.address),
            "error": failure.json["error"] ?? .null,
        ])
    }

    /// Looks at the photo as a worker does before it calls.
    private func subject(_ photo: String) async throws(PictureFault) -> AnalysisSubject {
        switch (service.transport, ImageList.isURL(photo)) {
        case (.url, false):
            throw PictureFault(.image, "\(photo): \(service.name) is handed URLs only (\"transport\": \"url\")")
        case (.file, true):
            throw PictureFault(.image, "\(photo): \(service.name) is handed files only (\"transport\": \"file\")")
        case (_, true): return .url(photo)
        case (_, false):
            let isRead = service.accepts.contains(try await cropper.inspect(.file(photo)).format)
            return isRead ? .file(path: photo) : try await cropper.jpeg(ofFile: photo)
        }
    }

    private func unasked(_ kind: FailureKind, _ message: String) -> AnalysisFailure {
        AnalysisFailure(kind: kind, message: message, tries: 0, firstFailure: time.now())
    }

    private func report(_ answer: Answer) -> TryReport {
        TryReport(
            service: service, answer: answer,
            inspection: Inspection(
                of: answer.json, service: service.name, evidence: service.evidence, options: merging))
    }
}
