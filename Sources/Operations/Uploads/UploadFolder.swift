import Files
import Foundation
import Model
import Pictures
import Pipeline
import Synchronization
import Waiting

/// The folder that uploaded images are written to. A file there is named by its bytes, so that the same upload twice is
/// one file, and one image.
package struct UploadFolder: Sendable {
    /// The largest file.
    package static let limit = PictureLimits.bytes
    /// An upload lasts no longer: what is older was left behind when a process was killed.
    private static let leftBehind: TimeInterval = 86_400

    let folder: String
    let cropper: any ImageCropper

    /// - Parameters:
    ///   - folder: absolute; below IMAGE_ROOT where there is one. It is made when it is needed.
    ///   - cropper: looks at what came in, as an import does.
    package init(_ folder: String, cropper: any ImageCropper) {
        self.folder = folder
        self.cropper = cropper
    }

    /// Begins a file. Nobody sees it before it is kept.
    /// - Throws: `OutputFault`.
    package func begin() async throws -> UploadDraft {
        let folder = folder
        return try await offPool {
            Result {
                try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                UploadFolder.sweep(folder)
                return try UploadDraft(in: folder)
            }
        }.get()
    }

    /// Keeps what came in if it is an image that an import would take; otherwise nothing is left of it.
    /// - Parameter filename: as its sender calls it, for people.
    /// - Returns: the image, to be added to the catalogue.
    /// - Throws: `OperationFault`, `refused`, with the reason; `OutputFault`.
    package func keep(_ draft: UploadDraft, named filename: String?, group: String?) async throws -> NewImage {
        let header: PictureHeader
        do throws(PictureFault) {
            header = try await cropper.inspect(.file(draft.path))
        } catch {
            await draft.discard()
            throw OperationFault.refused(error.message.replacing(draft.path + ": ", with: ""))
        }
        guard !header.isDrawnByFarm else {
            await draft.discard()
            throw OperationFault.refused("a picture that farm has drawn, no photo: send the photo itself")
        }
        let path = try await draft.keep(as: header.format.rawValue == "jpeg" ? "jpg" : header.format.rawValue)
        let name = filename.map { PathText.lastComponent(of: $0) }.flatMap { $0.isEmpty || $0 == "/" ? nil : $0 }
        return NewImage(
            filename: String((name ?? PathText.lastComponent(of: path)).prefix(255)), path: path, group: group)
    }

    /// Removes what processes left behind that were killed in the middle of an upload.
    private static func sweep(_ folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix(".farm-") && name.hasSuffix(".part") {
            let path = PathText.join(folder, name)
            let written = (try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate]) as? Date
            guard let written, -written.timeIntervalSinceNow > leftBehind else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}

/// A file that is coming in, under a hidden name that imports pass over. It is gone when its last holder is.
package final class UploadDraft: Sendable {
    private struct State {
        var file: OutputFile
        var hash = ContentHash()
    }

    private let state: Mutex<State>
    private let folder: String
    /// Where it is while it comes in.
    package let path: String

    init(in folder: String) throws(OutputFault) {
        let file = try OutputFile(PathText.join(folder, "upload"), replacing: .anything)
        self.folder = folder
        path = file.temporary
        state = Mutex(State(file: file))
    }

    /// - Throws: `OutputFault`.
    package func write(_ bytes: [UInt8]) async throws {
        try await offPool {
            Result {
                try self.state.withLock { state in
                    try state.file.write(bytes)
                    state.hash.add(bytes)
                }
            }
        }.get()
    }

    /// Gives it its name, by its bytes; it survives a power cut from then on.
    /// - Returns: its path.
    /// - Throws: `OutputFault`.
    func keep(as suffix: String) async throws -> String {
        let folder = folder
        return try await offPool {
            Result {
                try self.state.withLock { state in
                    let path = PathText.join(folder, "\(state.hash.text()).\(suffix)")
                    try state.file.complete(isDurable: true, as: path)
                    return path
                }
            }
        }.get()
    }

    /// Leaves nothing of it.
    package func discard() async { await offPool { self.state.withLock { $0.file.discard() } } }
}
