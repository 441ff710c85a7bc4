import Foundation
import Model
import Operations
import Pictures
import Pipeline
import Testing

/// A test double of the decoder: a file's first letter decides. p: a photo; d: one that farm has drawn; else: no picture.
private struct LetterCropper: ImageCropper {
    func inspect(_ picture: PictureSource) async throws(PictureFault) -> PictureHeader {
        guard case .file(let path) = picture, let bytes = FileManager.default.contents(atPath: path),
            let first = bytes.first, first == UInt8(ascii: "p") || first == UInt8(ascii: "d")
        else { throw PictureFault(.image, "no picture") }
        return PictureHeader(
            format: .jpeg, width: 1, height: 1, bytes: bytes.count, isDrawnByFarm: first == UInt8(ascii: "d"))
    }

    func crop(_ picture: PictureSource, to boxes: [Box], quality: Int) async throws(PictureFault) -> Crops {
        throw PictureFault(.image, "nothing is cut here")
    }
}

@Suite("The folder of uploads")
struct UploadFolderTests {
    private let folder: TestFolder
    private let uploads: UploadFolder

    init() throws {
        folder = try TestFolder()
        uploads = UploadFolder(folder.path + "/uploads", cropper: LetterCropper())
    }

    private func upload(_ text: String, named filename: String? = nil) async throws -> NewImage {
        let draft = try await uploads.begin()
        for byte in text.utf8 { try await draft.write([byte]) }
        return try await uploads.keep(draft, named: filename, group: "sent")
    }

    @Test("has one file for the same bytes, whatever it is called; the sender's name is for people alone")
    func names() async throws {
        let first = try await upload("photo", named: "../../etc/passwd")
        #expect(first.filename == "passwd" && first.group == "sent")
        #expect(try #require(first.path).hasPrefix(folder.path + "/uploads/"))
        for name in [nil, "", "/", "..", "a/b.jpg", "passwd"] {
            let again = try await upload("photo", named: name)
            #expect(again.path == first.path && again.filename?.contains("/") == false, "\(name ?? "none")")
        }
        let other = try await upload("photo 2", named: "passwd")
        #expect(other.path != first.path)
        #expect(folder.files.count == 2)
        #expect(try String(contentsOfFile: try #require(other.path), encoding: .utf8) == "photo 2")
    }

    @Test("keeps neither what is no picture nor what farm itself has drawn", arguments: ["text", "", "drawn"])
    func refused(text: String) async throws {
        let fault = await #expect(throws: OperationFault.self) { try await upload(text) }
        #expect(fault?.kind == .refused)
        #expect(fault?.message.contains(folder.path) == false, "nobody is told where it lies")
        #expect(folder.files.isEmpty)
    }

    @Test("keeps nothing of an upload that was given up, and removes what a killed process left behind a day ago")
    func leftovers() async throws {
        var draft: UploadDraft? = try await uploads.begin()
        try await draft?.write(Array("photo".utf8))
        #expect(folder.files.count == 1)
        draft = nil
        #expect(folder.files.isEmpty)
        let discarded = try await uploads.begin()
        await discarded.discard()
        #expect(folder.files.isEmpty)

        for (name, hours) in [(".farm-old.part", 25.0), (".farm-new.part", 23), ("photo.jpg", 99)] {
            let path = "\(folder.path)/uploads/\(name)"
            try Data("p".utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -3600 * hours)], ofItemAtPath: path)
        }
        await (try await uploads.begin()).discard()
        #expect(folder.files == ["uploads/.farm-new.part", "uploads/photo.jpg"])
    }
}
