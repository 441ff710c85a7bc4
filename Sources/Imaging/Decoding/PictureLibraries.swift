import Dispatch
import Glibc
import Model
import Pictures
import Pipeline

/// The libraries that read pictures other than JPEG. They are opened by name, so only running shows what this machine
/// has.
public enum PictureLibraries {
    /// The first libheif that reads what iPhones with iOS 18 write (strukturag/libheif, issues 1190 and 1213). In older
    /// versions, a gain map that belongs to two items makes the whole picture an error.
    private static let neededHEIF = (1, 18)

    /// Whether the libraries are there, and read what phones write.
    public static func finding() async -> CheckFinding {
        await withCheckedContinuation { continuation in
            // Opening them takes 50 ms.
            DispatchQueue.global().async {
                do throws(PictureFault) {
                    _ = try Vips(for: "PNG, WebP, GIF, TIFF, BMP and HEIC")
                    continuation.resume(returning: finding(heif: heifVersion))
                } catch {
                    continuation.resume(returning: CheckFinding(.warning, "pictures", error.message))
                }
            }
        }
    }

    /// - Parameter version: the version of libheif, such as `1.15.1`. nil if there is none.
    static func finding(heif version: String?) -> CheckFinding {
        guard let version else {
            return CheckFinding(
                .warning, "pictures", "HEIC and AVIF cannot be read: install the Debian package libheif1")
        }
        guard isOld(heif: version) else { return CheckFinding(.ok, "pictures", "libvips, libheif \(version)") }
        return CheckFinding(
            .warning, "pictures",
            "libheif \(version) cannot read the HEIC photos of iPhones with iOS 18 (it needs 1.18, which Debian 13 has): convert "
                + "them, or import and analyse them on a newer system")
    }

    private static func isOld(heif version: String) -> Bool {
        let numbers = version.split(separator: ".").prefix(2).compactMap { Int($0) }
        return numbers.count == 2 && (numbers[0], numbers[1]) < neededHEIF
    }

    /// The version of libheif, if it is too old for photos of iPhones with iOS 18.
    static let oldHEIF = heifVersion.flatMap { isOld(heif: $0) ? $0 : nil }

    /// Why libvips could not read a picture.
    /// - Parameter isWhole: whether only the header was read.
    static func fault(
        _ bytes: UnsafeBufferPointer<UInt8>, _ format: PictureFormat, _ message: String, isWhole: Bool
    ) -> PictureFault {
        if let old = oldHEIF, format == .heif {
            var reader = HeaderReader(Array(bytes))
            if (try? reader.heifSharesItems()) == true {
                return PictureFault(
                    .image,
                    "libheif \(old) cannot read this HEIC, as iPhones take them since iOS 18: it takes libheif 1.18 (Debian 13 "
                        + "has it), or convert the photo to JPEG")
            }
        }
        return PictureFault(.image, "\(isWhole ? "damaged" : "truncated or damaged") \(format.name): \(message)")
    }

    /// The version of the library that the loader finds.
    static var heifVersion: String? {
        guard let library = dlopen("libheif.so.1", RTLD_LAZY | RTLD_LOCAL) else { return nil }
        defer { dlclose(library) }
        guard let function = dlsym(library, "heif_get_version") else { return nil }
        typealias Version = @convention(c) () -> UnsafePointer<CChar>?
        return unsafeBitCast(function, to: Version.self)().map { String(cString: $0) }
    }
}
