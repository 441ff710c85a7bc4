import Doubles
import Foundation
import Imaging
import Model
import Pictures
import Pipeline
@testable import SimulatedWorld
import Testing

/// A cropper that claims the behaviours of `ImageCropper`. A new one joins with a line in `cropperBackends`.
struct CropperBackend: Sendable, CustomTestStringConvertible {
    typealias Test = @Sendable (CropperBase) async throws -> Void

    var name: String
    /// Runs a test with a cropper of its own.
    var run: @Sendable (@escaping Test) async throws -> Void

    var testDescription: String { name }
}

/// The one that farm runs with; the simulation's; and the doubles of the roles' tests.
let cropperBackends = [CropperBackend.real, .simulated, .paper, .gallery]

/// A cropper, and paths of pictures.
struct CropperBase: Sendable {
    var cropper: any ImageCropper
    /// A JPEG of at least 100 × 100 pixels.
    var picture: String
    /// No such file, in a folder that is there; nil where every picture is there.
    var missing: String?
}

extension CropperBackend {
    static let real = CropperBackend(name: "the real one") { test in
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "examples/photos").path
        try await test(
            CropperBase(
                cropper: PictureCropper(parallelism: 1), picture: folder + "/china.jpg", missing: folder + "/none.jpg"))
    }

    static let simulated = CropperBackend(name: "the simulated pictures") { test in
        try await SimulatedBench.run(faults: [.pictureMissing: 0.5]) { bench in
            let pictures = bench.album.pictures
            guard let there = pictures.first(where: { !$0.isMissing }) else { return }
            try await test(
                CropperBase(
                    cropper: SimulatedWorld.Pictures(album: bench.album, process: bench.process()),
                    picture: try #require(there.image.path), missing: pictures.first(where: \.isMissing)?.image.path))
        }
    }

    static let paper = CropperBackend(name: "the paper cropper") { test in
        try await test(
            CropperBase(
                cropper: PaperCropper(unreadable: ["/photos/2.jpg"]), picture: "/photos/1.jpg", missing: "/photos/2.jpg"
            ))
    }

    static let gallery = CropperBackend(name: "the gallery") { test in
        let gallery = Gallery()
        gallery.set("/photos/2.jpg", .gone)
        try await test(CropperBase(cropper: gallery, picture: "/photos/1.jpg", missing: "/photos/2.jpg"))
    }
}
