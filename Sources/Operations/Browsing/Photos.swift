import Files
import Foundation
import Model
import Pictures
import Pipeline
import Waiting

/// The photos of images, as people and programs see them: as they are, or upright and smaller. Only what a row of `images` names
/// is taken, from where workers would take it.
package struct Photos: Sendable {
    /// A photo as it is.
    package enum Original: Sendable {
        /// Open, below IMAGE_ROOT where there is one.
        case file(ImageFile, PictureFormat)
        /// Fetched.
        case bytes([UInt8], PictureFormat)
    }

    /// A photo that was made smaller.
    package struct Scaled: Sendable {
        /// Upright, without EXIF.
        package var jpeg: [UInt8]
        /// Changes with the photo and its size: an entity tag.
        package var tag: String
    }

    /// The widths that photos are kept in, in pixels: what is asked for gets the next one up, so that nobody fills the cache with
    /// a photo in a thousand sizes.
    package static let widths = [160, 320, 640, 1024, 1600, 2560, 4096]
    /// The width of the photo on its page.
    package static let shown = 1600
    /// The size limit of thumbnails, in pixels on both sides.
    package static let thumbnail = 320
    /// A photo is at most this many times as high as its width may be.
    private static let steepest = 4
    private static let quality = 82
    /// A photo behind a URL is looked at again after a day.
    private static let freshness: TimeInterval = 86_400

    private let cropper: any ImageCropper
    private let scaler: any PictureScaler
    private let fetcher: any PictureFetcher
    private let cache: FileCache?
    private let policy: ImagePolicy

    /// - Parameters:
    ///   - cropper: which keeps to the policy, as do `scaler` and `fetcher`.
    ///   - cache: nil: every picture is made anew each time.
    package init(
        cropper: any ImageCropper, scaler: any PictureScaler, fetcher: any PictureFetcher, cache: FileCache?,
        policy: ImagePolicy
    ) {
        self.cropper = cropper
        self.scaler = scaler
        self.fetcher = fetcher
        self.cache = cache
        self.policy = policy
    }

    // MARK: As it is

    /// The photo as it is.
    /// - Throws: `PictureFault`.
    package func original(of image: Image) async throws(PictureFault) -> Original {
        switch try await source(of: image) {
        case .file(let path):
            let header = try await cropper.inspect(.file(path))
            let root = policy.root
            let file = await offPool { Result { () throws(PictureFault) in try ImageFile(path: path, root: root) } }
            return .file(try file.get(), header.format)
        case .bytes(let bytes):
            return .bytes(bytes, try await cropper.inspect(.bytes(bytes)).format)
        }
    }

    // MARK: Smaller

    /// The photo upright and at most so wide: made once, then kept.
    /// - Parameter width: in pixels; it is raised to the next one of `widths`.
    /// - Throws: `PictureFault`.
    package func photo(of image: Image, width: Int) async throws(PictureFault) -> Scaled {
        let width = Photos.widths.first { $0 >= width } ?? Photos.widths[Photos.widths.count - 1]
        return try await scaled(image, ScaledFit(width: width, height: width * Photos.steepest))
    }

    /// The photo upright, at most `thumbnail` wide and high.
    /// - Throws: `PictureFault`.
    package func thumbnail(of image: Image) async throws(PictureFault) -> Scaled {
        try await scaled(image, ScaledFit(width: Photos.thumbnail, height: Photos.thumbnail))
    }

    /// The size of the upright photo, in pixels, which boxes are in.
    /// - Throws: `PictureFault`.
    package func uprightSize(of image: Image) async throws(PictureFault) -> (width: Int, height: Int) {
        let stored = try await cropper.inspect(try await source(of: image))
        let upright = try await cropper.inspect(.bytes(try await photo(of: image, width: Photos.shown).jpeg))
        // Upright it lies as its smaller copy does. Of one that is nearly square either way is right to a pixel.
        let isTurned = (stored.width > stored.height) != (upright.width > upright.height)
        return isTurned ? (stored.height, stored.width) : (stored.width, stored.height)
    }

    private func scaled(_ image: Image, _ fit: ScaledFit) async throws(PictureFault) -> Scaled {
        if let path = image.path {
            let stamp = await offPool { FileStamp(of: path) }
            // A file that another box has is fetched, where the row says how.
            if let stamp {
                do throws(PictureFault) {
                    return try await scaled(name(stamp.text, fit), fit, maxAge: nil) { .file(path) }
                } catch {
                    guard image.url != nil else { throw error }
                }
            } else if image.url == nil {
                // The decoder says what is wrong with it.
                return Scaled(
                    jpeg: try await scaler.scale(.file(path), toFit: fit, quality: Photos.quality).jpeg, tag: "")
            }
        }
        guard let url = image.url else { throw Photos.noPlace(image) }
        return try await scaled(name(url, fit), fit, maxAge: Photos.freshness) { () throws(PictureFault) in
            .bytes(try await fetcher.fetch(url))
        }
    }

    /// What is kept, or what is made of the picture.
    /// - Parameter maxAge: older ones are made anew, if that is possible; nil: what they are made of never changes.
    private func scaled(
        _ name: UUID, _ fit: ScaledFit, maxAge: TimeInterval?,
        _ source: @Sendable () async throws(PictureFault) -> PictureSource
    ) async throws(PictureFault) -> Scaled {
        let kept = await keptPicture(name)
        if let kept, maxAge.map({ -kept.made.timeIntervalSinceNow < $0 }) ?? true {
            return Photos.tagged(kept.bytes, name)
        }
        do throws(PictureFault) {
            let picture = try await scaler.scale(try await source(), toFit: fit, quality: Photos.quality)
            let (cache, bytes) = (cache, picture.jpeg)
            await offPool { _ = cache?.keep(bytes, as: name) }
            return Photos.tagged(bytes, name)
        } catch {
            // Its host is away: an old one is better than none.
            guard let kept, error.absence != nil else { throw error }
            return Photos.tagged(kept.bytes, name)
        }
    }

    private func keptPicture(_ name: UUID) async -> FileCache.Entry? {
        guard let cache else { return nil }
        return await offPool {
            guard let entry = cache.entry(name) else { return nil }
            // A power cut may have left a file without its bytes.
            guard entry.bytes.starts(with: [0xFF, 0xD8]), entry.bytes.suffix(2).elementsEqual([0xFF, 0xD9]) else {
                cache.remove(name)
                return nil
            }
            return entry
        }
    }

    private static func tagged(_ jpeg: [UInt8], _ name: UUID) -> Scaled {
        Scaled(jpeg: jpeg, tag: "\(name.text)-\(jpeg.count)")
    }

    /// The root is part of it: what lies outside of a new one is not served from what was kept under an old one.
    private func name(_ content: String, _ fit: ScaledFit) -> UUID {
        let text = "\(fit.width) \(fit.height) \(policy.root ?? "") \(policy.deniesPrivateURLs)\n\(content)"
        return UUID(namespace: .farm, name: text.utf8)
    }

    // MARK: Sources

    private func source(of image: Image) async throws(PictureFault) -> PictureSource {
        if let path = image.path, (try? await cropper.inspect(.file(path))) != nil || image.url == nil {
            return .file(path)
        }
        guard let url = image.url else { throw Photos.noPlace(image) }
        return .bytes(try await fetcher.fetch(url))
    }

    private static func noPlace(_ image: Image) -> PictureFault {
        PictureFault(.image, "image \(image.id) has neither path nor URL")
    }
}
