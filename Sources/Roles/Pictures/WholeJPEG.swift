import Model
import Pictures
import Pipeline

extension ImageCropper {
    /// The JPEG quality of photos that are posted, as of crops.
    private static var quality: Int { 90 }

    /// Converts a file that a service does not read into a JPEG that is posted instead: the whole upright picture, with
    /// the same name except for its extension.
    /// - Throws: `image`, `too_large` as ``crop(_:to:quality:)`` does.
    package func jpeg(ofFile path: String) async throws(PictureFault) -> AnalysisSubject {
        // It is clamped to the picture, whatever its size.
        let whole = Box(x: 0, y: 0, width: 1e9, height: 1e9)
        let crops = try await crop(.file(path), to: [whole], quality: Self.quality)
        guard let crop = crops.crops.first ?? nil else {
            var fault = crops.faults[0] ?? PictureFault(.image, "the picture has no pixels")
            fault.message = "\(path): \(fault.message)"
            throw fault
        }
        return .picture(jpeg: crop.jpeg, filename: PathText.stem(of: PathText.lastComponent(of: path)) + ".jpg")
    }
}
