import Foundation
import Pictures
import Pipeline
import Testing

@testable import Imaging

@Suite("IMAGE_ROOT")
struct ConfinementTests {
    let folder: TemporaryFolder
    let cropper: PictureCropper
    let root: String

    init() throws {
        folder = try TemporaryFolder()
        root = folder.file("root")
        try FileManager.default.createDirectory(atPath: root + "/deep", withIntermediateDirectories: true)
        cropper = PictureCropper(parallelism: 1, root: root)
        for name in ["root/in.png", "root/deep/in.png", "out.png"] {
            _ = try folder.write(try Fixtures.bytes("plain.png"), as: name)
        }
        let links = [
            "root/leads-out.png": "../out.png", "root/leads-in.png": "deep/in.png", "leads-in.png": "root/in.png",
        ]
        for (name, target) in links {
            try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: target)
        }
        try FileManager.default.createSymbolicLink(atPath: folder.file("rootlink"), withDestinationPath: "root")
    }

    private func refusal(_ path: String, _ cropper: PictureCropper) async -> String? {
        do {
            _ = try await cropper.inspect(.file(path))
            _ = try await cropper.crop(.file(path), to: [], quality: 90)
            return nil
        } catch { return error.message }
    }

    @Test(
        "A file below it is read, by whatever path",
        arguments: [
            "root/in.png", "root/deep/in.png", "root/deep/../in.png", "root/leads-in.png", "leads-in.png",
            "rootlink/in.png",
        ])
    func inside(_ name: String) async {
        #expect(await refusal(folder.file(name), cropper) == nil)
    }

    @Test(
        "A file outside is refused as such, by whatever path, be it there or not",
        arguments: [
            "out.png", "root/../out.png", "root/leads-out.png", "root/deep/../../out.png", "none.png",
            "root/../none.png",
            "root", "rootx/in.png",
        ])
    func outside(_ name: String) async {
        let path = folder.file(name)
        #expect(await refusal(path, cropper) == "\(path): is not below IMAGE_ROOT (\(root))")
        #expect(await refusal("/etc/passwd", cropper) == "/etc/passwd: is not below IMAGE_ROOT (\(root))")
        #expect(await refusal("/dev/zero", cropper) == "/dev/zero: is not below IMAGE_ROOT (\(root))")
    }

    @Test("What is missing inside is told to be missing; a root that leads elsewhere by a link is followed")
    func roots() async throws {
        let missing = root + "/none.png"
        #expect(await refusal(missing, cropper) == "\(missing): cannot be read: No such file or directory")
        let linked = PictureCropper(parallelism: 1, root: folder.file("rootlink"))
        #expect(await refusal(folder.file("root/in.png"), linked) == nil)
        #expect(await refusal(folder.file("out.png"), linked) != nil)
        let absent = PictureCropper(parallelism: 1, root: folder.file("none"))
        #expect(await refusal(folder.file("root/in.png"), absent)?.contains("is not below IMAGE_ROOT") == true)
        let whole = PictureCropper(parallelism: 1, root: "/")
        #expect(await refusal(folder.file("out.png"), whole) == nil)
    }

    @Test("What is checked is what is read, also when its path leads elsewhere afterwards")
    func exchanged() throws {
        let path = root + "/in.png"
        let file = try ImageFile(path: path, root: root)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/passwd")
        #expect(try file.readAll() == Fixtures.bytes("plain.png"))
        #expect(throws: PictureFault.self) { try ImageFile(path: path, root: root) }
    }
}
