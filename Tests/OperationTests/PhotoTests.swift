import Doubles
import Files
import Foundation
import Model
import Operations
import Pictures
import Pipeline
import Synchronization
import Testing

/// A test double of the decoder: counts what it is asked for, and makes a "JPEG" of the size and the source.
private final class CountingScaler: PictureScaler {
    private let count = Mutex(0)

    var made: Int { count.withLock { $0 } }

    func scale(
        _ picture: PictureSource, toFit fit: ScaledFit, quality: Int
    ) async throws(PictureFault) -> ScaledPicture {
        count.withLock { $0 += 1 }
        var body = Array("\(fit.width)×\(fit.height) ".utf8)
        switch picture {
        case .file(let path): body += Array(path.utf8)
        case .bytes(let bytes): body += bytes
        }
        return ScaledPicture(jpeg: [0xFF, 0xD8] + body + [0xFF, 0xD9], width: fit.width, height: fit.height)
    }
}

@Suite("Photos for people")
struct PhotoTests {
    private let folder: TestFolder
    private let scaler = CountingScaler()
    private let gallery = Gallery()

    init() throws { folder = try TestFolder() }

    private func photos(root: String? = nil) -> Photos {
        Photos(
            cropper: gallery, scaler: scaler, fetcher: gallery,
            cache: FileCache(folder.path + "/cache", limit: 1 << 20), policy: ImagePolicy(root: root))
    }

    private func image() throws -> Image {
        let path = folder.path + "/a.jpg"
        try Data("photo".utf8).write(to: URL(filePath: path))
        return Image(id: 1, path: path)
    }

    @Test("are made once for each size and state of the file, by whatever process")
    func once() async throws {
        let image = try image()
        let first = try await photos().thumbnail(of: image)
        #expect(try await photos().thumbnail(of: image).jpeg == first.jpeg)
        #expect(scaler.made == 1)
        let wide = try await photos().photo(of: image, width: 500)
        #expect(String(decoding: wide.jpeg.dropFirst(2), as: UTF8.self).hasPrefix("640×2560"))
        #expect(try await photos().photo(of: image, width: 640).tag == wide.tag)
        #expect(try await photos().photo(of: image, width: -1).tag != wide.tag)
        #expect(try await photos().photo(of: image, width: .max).tag != wide.tag)
        #expect(scaler.made == 4)
        try Data("another".utf8).write(to: URL(filePath: try #require(image.path)), options: .atomic)
        #expect(try await photos().thumbnail(of: image).tag != first.tag)
        #expect(scaler.made == 5)
        // Under another root nothing that was kept is served.
        _ = try await photos(root: "/srv").thumbnail(of: image)
        #expect(scaler.made == 6)
    }

    @Test("whose kept file a power cut has emptied or cut are made anew")
    func damaged() async throws {
        let image = try image()
        let whole = try await photos().thumbnail(of: image)
        let kept = try #require(folder.files.first { $0.hasPrefix("cache") && !$0.hasSuffix(".lock") })
        for damage in [Data(), Data(whole.jpeg.prefix(9)), Data(count: 50)] {
            try damage.write(to: URL(filePath: folder.path + "/" + kept))
            #expect(try await photos().thumbnail(of: image).jpeg == whole.jpeg)
        }
        #expect(scaler.made == 4)
    }

    @Test("behind a URL are fetched as workers fetch them; an old one serves while the host is away")
    func fetched() async throws {
        let image = Image(id: 1, url: "http://host/a.jpg")
        let first = try await photos().thumbnail(of: image)
        #expect(try await photos().thumbnail(of: image).jpeg == first.jpeg)
        #expect(gallery.asked == ["http://host/a.jpg"])
        let kept = try #require(folder.files.first { $0.hasPrefix("cache") && !$0.hasSuffix(".lock") })
        let time = Int(Date().timeIntervalSince1970) - 90_000
        var times = [timespec(tv_sec: time, tv_nsec: 0), timespec(tv_sec: time, tv_nsec: 0)]
        let outcome = utimensat(AT_FDCWD, folder.path + "/" + kept, &times, 0)
        #expect(outcome == 0)
        gallery.set(
            "http://host",
            PictureFault(.image, "away", absence: PictureAbsence(source: "http://host", isOfSource: true)))
        #expect(try await photos().thumbnail(of: image).jpeg == first.jpeg)
        #expect(gallery.asked.count == 2)
        gallery.set("http://host", PictureFault(.image, "answered 404"))
        await #expect(throws: PictureFault.self) { try await photos().thumbnail(of: image) }
    }

    @Test("that are nowhere have a reason")
    func nowhere() async throws {
        await #expect(throws: PictureFault.self) { try await photos().thumbnail(of: Image(id: 7, filename: "x")) }
        await #expect(throws: PictureFault.self) { try await photos().original(of: Image(id: 7)) }
    }
}
