import Doubles
import Model
import Pictures
import Pipeline

/// One process's way to the pictures: folders and hosts that come and go, and stumble.
struct Pictures: ImageCropper, PictureFetcher {
    static let folder = "/photos"
    static let host = "http://images"

    let album: Album
    let process: SimulatedProcess
    private let cropper: PaperCropper
    private let fetcher: ShelfFetcher

    private var conditions: Conditions { process.conditions }

    init(album: Album, process: SimulatedProcess) {
        self.album = album
        self.process = process
        cropper = album.cropper
        fetcher = album.fetcher
    }

    func inspect(_ picture: PictureSource) async throws(PictureFault) -> PictureHeader {
        try await reach(picture)
        return try await cropper.inspect(picture)
    }

    func crop(_ picture: PictureSource, to boxes: [Box], quality: Int) async throws(PictureFault) -> Crops {
        try await reach(picture)
        return try await cropper.crop(picture, to: boxes, quality: quality)
    }

    func fetch(_ url: String) async throws(PictureFault) -> [UInt8] {
        try await reach(Pictures.host)
        return try await fetcher.fetch(url)
    }

    func source(of url: String) -> String { Pictures.host }

    func answers(_ source: String) async -> Bool {
        guard (try? await process.pass(.milliseconds(5))) != nil else { return false }
        return !conditions.lasts(.picturesAway, of: source)
    }

    private func reach(_ picture: PictureSource) async throws(PictureFault) {
        if case .file = picture { try await reach(Pictures.folder) }
    }

    private func reach(_ source: String) async throws(PictureFault) {
        do { try await process.pass(conditions.dice.happens(0.5) ? nil : .milliseconds(5)) } catch {
            throw PictureFault(.image, "cut off")
        }
        if conditions.lasts(.picturesAway, of: source) { throw .away(source) }
        guard conditions.strikes(.pictureStumbles, source) else { return }
        throw .stumble(source, retryAfter: conditions.dice.pick([nil, nil, .seconds(2), .seconds(90)]))
    }
}
