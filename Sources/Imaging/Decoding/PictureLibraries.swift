import Dispatch
import Glibc
import Pipeline

/// The libraries that read what is no JPEG; they are opened by name, so what this box has shows only when it runs.
public enum PictureLibraries {
    /// The first libheif that reads what iPhones take with iOS 18 (strukturag/libheif, issues 1190 and 1213): before it, a gain
    /// map that belongs to two items makes the whole picture an error.
    private static let neededHEIF = (1, 18)

    /// Whether they are there, and read what phones take.
    public static func finding() async -> Finding {
        await withCheckedContinuation { continuation in
            // Opening them takes 50 ms.
            DispatchQueue.global().async {
                do throws(PictureFault) {
                    _ = try Vips(for: "PNG, WebP, GIF, TIFF, BMP and HEIC")
                    continuation.resume(returning: finding(heif: heifVersion))
                } catch {
                    continuation.resume(returning: Finding(.warning, "pictures", error.message))
                }
            }
        }
    }

    /// - Parameter version: libheif's, `1.15.1`; nil where there is none.
    static func finding(heif version: String?) -> Finding {
        guard let version else {
            return Finding(.warning, "pictures", "HEIC and AVIF cannot be read: install the Debian package libheif1")
        }
        let numbers = version.split(separator: ".").prefix(2).compactMap { Int($0) }
        guard numbers.count < 2 || (numbers[0], numbers[1]) >= neededHEIF else {
            return Finding(
                .warning, "pictures",
                "libheif \(version) cannot read the HEIC photos of iPhones with iOS 18 (it takes 1.18; Debian 13 has it): convert "
                    + "them, or run the enricher and the workers that read files on a newer system")
        }
        return Finding(.ok, "pictures", "libvips, libheif \(version)")
    }

    /// That of the library which the loader finds.
    static var heifVersion: String? {
        guard let library = dlopen("libheif.so.1", RTLD_LAZY | RTLD_LOCAL) else { return nil }
        defer { dlclose(library) }
        guard let function = dlsym(library, "heif_get_version") else { return nil }
        typealias Version = @convention(c) () -> UnsafePointer<CChar>?
        return unsafeBitCast(function, to: Version.self)().map { String(cString: $0) }
    }
}
