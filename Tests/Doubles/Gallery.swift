import Model
import Pictures
import Pipeline
import Synchronization

/// A test double of folders and hosts of pictures that come and go on cue, as cropper and as fetcher.
public final class Gallery: ImageCropper, PictureFetcher {
    private struct State {
        var faults: [String: PictureFault] = [:]
        var passing: [String: [PictureFault]] = [:]
        var silent: Set<String> = []
        var asked: [String] = []
    }

    private let paper = PaperCropper()
    private let state = Mutex(State())

    package init() {}

    /// What was asked for, in order: paths, URLs, and hosts whose front page was asked for.
    public var asked: [String] { state.withLock { $0.asked } }

    /// From now on everything whose path or URL begins so has this fault; nil ends it.
    public func set(_ prefix: String, _ fault: PictureFault?) { state.withLock { $0.faults[prefix] = fault } }

    /// The next times that this picture is asked for it has these faults, one after another.
    public func fail(_ picture: String, _ faults: [PictureFault]) { state.withLock { $0.passing[picture] = faults } }

    /// The host does not even answer.
    public func silence(_ host: String, _ isSilent: Bool) {
        state.withLock { state in
            if isSilent { state.silent.insert(host) } else { state.silent.remove(host) }
        }
    }

    private func look(at picture: String) throws(PictureFault) {
        let fault = state.withLock { state -> PictureFault? in
            state.asked.append(picture)
            if var faults = state.passing[picture], !faults.isEmpty {
                defer { state.passing[picture] = faults }
                return faults.removeFirst()
            }
            return state.faults.first { picture.hasPrefix($0.key) }?.value
        }
        if let fault { throw fault }
    }

    /// Every picture that is there has the same header.
    public func inspect(_ picture: PictureSource) async throws(PictureFault) -> PictureHeader {
        if case .file(let path) = picture { try look(at: path) }
        return try await paper.inspect(picture)
    }

    /// Cuts paper.
    public func crop(_ picture: PictureSource, to boxes: [Box], quality: Int) async throws(PictureFault) -> Crops {
        if case .file(let path) = picture { try look(at: path) }
        return try await paper.crop(picture, to: boxes, quality: quality)
    }

    /// Takes it from the wall.
    public func fetch(_ url: String) async throws(PictureFault) -> [UInt8] {
        try look(at: url)
        return [1]
    }

    /// The part before the last slash.
    public func source(of url: String) -> String { PathText.folder(of: url) }

    /// Unless it is silent.
    public func answers(_ source: String) async -> Bool {
        state.withLock { state in
            state.asked.append(source)
            return !state.silent.contains(source)
        }
    }
}

extension PictureFault {
    /// 503.
    public static func stumble(_ source: String, retryAfter: Duration? = nil) -> PictureFault {
        PictureFault(
            .image, "\(source) answered 503",
            absence: PictureAbsence(source: source, isOfSource: false, retryAfter: retryAfter))
    }

    /// Refused, or not mounted.
    public static func away(_ source: String) -> PictureFault {
        PictureFault(.image, "\(source) is not there", absence: PictureAbsence(source: source, isOfSource: true))
    }

    /// 404, or not among the others.
    public static let gone = PictureFault(.image, "gone")
}
