import Model
import Pictures
import Pipeline

/// Writes a photo with its merged boxes and labels drawn in.
package struct AnnotatedPicture {
    let cropper: any ImageCropper
    let fetcher: any PictureFetcher
    let annotator: any PictureAnnotator

    /// Writes pictures with these ports.
    package init(cropper: any ImageCropper, fetcher: any PictureFetcher, annotator: any PictureAnnotator) {
        self.cropper = cropper
        self.fetcher = fetcher
        self.annotator = annotator
    }

    /// - Parameter replacesAny: whether any existing file is replaced, and not only a picture that farm has drawn.
    /// - Throws: `OperationFault`.
    package func write(_ report: ImageReport, to path: String, replacesAny: Bool) async throws(OperationFault) {
        let boxes = report.findings.boxes.compactMap(\.box).map {
            AnnotatedBox(box: $0.bbox, label: $0.label, score: $0.score)
        }
        do {
            try await annotator.annotate(
                try await source(report.image), boxes: boxes, to: path, replacesAny: replacesAny)
        } catch {
            throw .failed(error.message)
        }
    }

    private func source(_ image: Image) async throws(PictureFault) -> PictureSource {
        if let path = image.path, (try? await cropper.inspect(.file(path))) != nil || image.url == nil {
            return .file(path)
        }
        guard let url = image.url else { throw PictureFault(.image, "image \(image.id) has neither path nor URL") }
        return .bytes(try await fetcher.fetch(url))
    }
}

extension Image {
    /// The name of its annotated picture in a folder of such pictures. A row may hold any text as the filename, but no
    /// picture is written outside the folder.
    package var pictureName: String {
        let name = PathText.stem(of: PathText.lastComponent(of: filename ?? ""))
        var kept = String.UnicodeScalarView()
        // Encrypted folders (eCryptfs, which some NAS use) allow no names longer than 143 bytes.
        for character in name {
            let scalars = kept.count + character.unicodeScalars.count
            guard scalars <= 50, String(kept).utf8.count + character.utf8.count <= 100 else { break }
            kept.append(contentsOf: character.unicodeScalars.map { $0.isSteering || $0 == "/" ? "_" : $0 })
        }
        return kept.isEmpty ? "\(id).jpg" : "\(String(kept))-\(id).jpg"
    }
}
