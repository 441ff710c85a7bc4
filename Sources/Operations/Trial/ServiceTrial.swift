import Foundation
import Harmony
import ImageLists
import Model
import Pictures
import Pipeline
import Roles
import Waiting

/// The service that is tried.
package struct TriedService: Sendable {
    /// Its name.
    package var name: String
    /// `host:port`.
    package var address: String
    /// How its answers count.
    package var evidence: Evidence
    /// How the picture is passed to it.
    package var transport: Transport
    /// The formats that are posted to it unchanged.
    package var accepts: Set<PictureFormat>

    /// A service to try.
    package init(
        name: String, address: String, evidence: Evidence, transport: Transport, accepts: Set<PictureFormat>
    ) {
        self.name = name
        self.address = address
        self.evidence = evidence
        self.transport = transport
        self.accepts = accepts
    }
}

/// One call of a service, as a worker makes it. Nothing is stored.
package struct ServiceTrial: Sendable {
    /// The result of the call.
    package enum Outcome: Sendable {
        case answered(TryReport)
        case failed(AnalysisFailure)
    }

    /// The service that is tried.
    package let service: TriedService
    /// Calls the service once.
    let caller: any AnalysisService
    let cropper: any ImageCropper
    let merging: MergingOptions
    let time: any Timekeeper

    /// A trial of this service.
    package init(
        service: TriedService, caller: any AnalysisService, cropper: any ImageCropper, merging: MergingOptions,
        time: any Timekeeper
    ) {
        self.service = service
        self.caller = caller
        self.cropper = cropper
        self.merging = merging
        self.time = time
    }

    /// - Parameter photo: the path or the URL of a picture.
    package func run(_ photo: String) async -> Outcome {
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

    /// The failure in `farm try --json`.
    package func json(of failure: AnalysisFailure) -> JSON {
        .object([
            "service": .string(service.name), "address": .string(service.address),
            "error": failure.json["error"] ?? .null,
        ])
    }

    /// Checks the photo as a worker does before it calls.
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
