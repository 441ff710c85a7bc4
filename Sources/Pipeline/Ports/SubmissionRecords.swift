import Foundation
import Model

/// Which jobs a submission in a window goes through.
public enum SubmissionKind: String, Sendable, CaseIterable {
    /// Those of every image.
    case every
    /// Those that have no successful result and have not failed for good.
    case lacking
    /// Those that have no successful result.
    case failed
}

/// The jobs of one service and one group.
public struct SubmissionScope: Sendable, Hashable {
    /// The name of the service.
    public var service: String
    /// The group; nil: the images of any group or none.
    public var group: String?
    /// Which of their jobs.
    public var kind: SubmissionKind

    package init(service: String, group: String?, kind: SubmissionKind = .every) {
        self.service = service
        self.group = group
        self.kind = kind
    }
}

/// How far the submission of a scope has come, by ascending image_id.
public struct SubmissionMark: Sendable, Equatable {
    /// Which jobs it is about.
    public var scope: SubmissionScope
    /// The namespace of its jobs' ids. A submission that begins anew has another one.
    public var pass: UUID
    /// The jobs of all images up to this one are in their queue, except for those of `doubts`.
    public var after: ImageID = 0
    /// The jobs of images after `after` and up to this one may be in their queue.
    public var claimed: ImageID = 0
    /// Images whose jobs an earlier process may have submitted: it was killed before it could note it. Ascending.
    public var doubts: [ClosedRange<ImageID>] = []
    /// How many images have been submitted, up to `claimed`.
    public var images = 0
    /// The largest `result_id` when the submission began.
    public var baseline = 0
    /// Whether there was no image after `claimed` at the last look.
    public var isOver = false

    package init(scope: SubmissionScope, pass: UUID, baseline: Int = 0) {
        self.scope = scope
        self.pass = pass
        self.baseline = baseline
    }

    /// What another process takes over: what its predecessor had claimed is in doubt.
    package var inherited: SubmissionMark {
        var mark = self
        if after < claimed { mark.doubts.append((after + 1)...claimed) }
        (mark.after, mark.isOver) = (claimed, false)
        return mark
    }

    /// The id of an image's job: always the same, so that a job that is submitted twice is one job.
    package func jobID(of image: ImageID) -> UUID {
        UUID(namespace: pass, name: "\(scope.service) \(image)".utf8)
    }
}

/// How far submissions in a window have come, in a table of farm's own (`farm_submissions`). One process at a time goes on with
/// a scope: its holder. All methods throw `PortFault`.
public protocol SubmissionRecords: Sendable {
    /// What is recorded of these scopes, in any order.
    func submissions(_ scopes: [SubmissionScope]) async throws -> [SubmissionMark]

    /// Makes a process the holder of these scopes. Any other holder has lost them from then on.
    /// - Parameters:
    ///   - fresh: a beginning for each scope, which counts if nothing is recorded of it.
    ///   - restarts: whether the beginning counts in any case.
    /// - Returns: where to go on, in the order of `fresh`; see `SubmissionMark.inherited`.
    func takeSubmissions(_ fresh: [SubmissionMark], restarts: Bool, holder: UUID) async throws -> [SubmissionMark]

    /// Writes how far the holder has come.
    /// - Returns: false if any of them has another holder. Then nothing is written.
    func mark(_ marks: [SubmissionMark], holder: UUID) async throws -> Bool
}

extension SubmissionMark {
    /// `doubts` as `5-9 20-20`.
    package var doubtsText: String {
        doubts.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: " ")
    }

    /// Reads `doubtsText`. What is malformed is left out.
    package static func doubts(_ text: String) -> [ClosedRange<ImageID>] {
        text.split(separator: " ").compactMap { range in
            let ends = range.split(separator: "-").compactMap { ImageID($0) }
            return ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : nil
        }
    }
}
