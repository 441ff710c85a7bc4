import Foundation
import Model
import Pictures
import Pipeline
import Testing

@testable import Imaging

@Suite("A file that cannot be had")
struct AbsenceTests {
    let cropper = PictureCropper(parallelism: 1)
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func absence(_ path: String, by cropper: PictureCropper? = nil) async throws -> PictureAbsence? {
        let fault = await #expect(throws: PictureFault.self) {
            try await (cropper ?? self.cropper).inspect(.file(path))
        }
        return try #require(fault).absence
    }

    private func makeFolder(_ name: String) throws -> String {
        let path = folder.file(name)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test("is gone when others lie where it was, also behind a link")
    func gone() async throws {
        _ = try folder.write([1], as: "other.jpg")
        #expect(try await absence(folder.file("gone.jpg")) == nil)
        try FileManager.default.createSymbolicLink(atPath: folder.file("link.jpg"), withDestinationPath: "gone.jpg")
        #expect(try await absence(folder.file("link.jpg")) == nil)
    }

    @Test("is away with its whole folder when that is missing, or is an empty mount point")
    func away() async throws {
        _ = try folder.write([1], as: "other.jpg")
        let missing = PictureAbsence(source: folder.file("nas"), isOfSource: true)
        #expect(try await absence(folder.file("nas/a/1.jpg")) == missing)
        #expect(try await absence(folder.file("nas/b/c/2.jpg")) == missing)
        let mount = try makeFolder("mount")
        let empty = PictureAbsence(source: mount, isOfSource: true)
        #expect(try await absence(mount + "/1.jpg") == empty)
        #expect(try await absence(mount + "/a/b/1.jpg") == empty)
        // A folder of photos that are links into what is not mounted.
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link.jpg"), withDestinationPath: "mount/1.jpg")
        #expect(try await absence(folder.file("link.jpg")) == empty)
    }

    @Test("is not looked for outside IMAGE_ROOT")
    func confined() async throws {
        let root = try makeFolder("root")
        try FileManager.default.createSymbolicLink(
            atPath: root + "/link.jpg", withDestinationPath: folder.file("secret/1.jpg"))
        let confined = PictureCropper(parallelism: 1, root: root)
        #expect(try await absence(root + "/link.jpg", by: confined) == nil)
        #expect(try await absence(folder.file("secret/1.jpg"), by: confined) == nil)
        #expect(
            try await absence(root + "/nas/1.jpg", by: confined)
                == PictureAbsence(source: root + "/nas", isOfSource: true))
    }

    @Test("may be readable in a moment: rights are given, handles go stale", .enabled(if: getuid() != 0))
    func rights() async throws {
        let closed = try folder.write([1], as: "closed.jpg")
        try #require(chmod(closed, 0) == 0)
        #expect(try await absence(closed) == PictureAbsence(source: folder.path, isOfSource: false))
        let locked = try makeFolder("locked")
        _ = try folder.write([1], as: "locked/1.jpg")
        try #require(chmod(locked, 0) == 0)
        defer { chmod(locked, 0o700) }
        #expect(try await absence(locked + "/1.jpg") == PictureAbsence(source: locked, isOfSource: true))
    }

    @Test("is a fault for good when it is there and is no picture, or nothing can be there")
    func broken() async throws {
        let text = try folder.write(Array("no picture".utf8), as: "text.jpg")
        #expect(try await absence(text) == nil)
        #expect(try await absence(text + "/1.jpg") == nil)
        #expect(try await absence(folder.file(String(repeating: "x", count: 300))) == nil)
        #expect(try await absence(folder.path) == nil)
    }
}
