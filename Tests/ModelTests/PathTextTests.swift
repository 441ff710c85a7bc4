import Foundation
import Model
import Testing

@Suite("Paths as text")
struct PathTextTests {
    @Test(
        "A path is cut at its slashes, also where an accent stands on one",
        arguments: [
            ("/a/b.jpg", "b.jpg", "/a"), ("a/b/", "b", "a"), ("b", "b", ""), ("/b", "b", "/"), ("/", "/", "/"),
            ("", "", ""), ("//a//b//", "b", "//a"), ("/a/\u{301}b", "\u{301}b", "/a"),
            ("\u{301}/\u{301}", "\u{301}", "\u{301}"),
        ])
    func parts(_ path: String, _ name: String, _ folder: String) {
        #expect(PathText.lastComponent(of: path) == name)
        #expect(PathText.folder(of: path) == folder)
    }

    @Test(
        "A path from the root has no dots and no empty parts",
        arguments: [
            ("/a/./b/../c//d/", "/a/c/d"), ("/../..", "/"), ("/", "/"), ("/a/..b/.c", "/a/..b/.c"),
            ("/a/\u{301}./..", "/a"),
        ])
    func absolute(_ path: String, _ absolute: String) {
        #expect(PathText.absolute(path) == absolute)
    }

    @Test("A relative path begins in the working directory")
    func relative() {
        let here = FileManager.default.currentDirectoryPath
        #expect(PathText.absolute("x/../y") == (here == "/" ? "/y" : here + "/y"))
        #expect(PathText.absolute("") == here)
        #expect(PathText.join("", "a") == "a" && PathText.join("a", "b") == "a/b" && PathText.join("/", "b") == "/b")
    }

    @Test("`..` behind a link leads out of the folder that the link leads to, as the system reads it")
    func links() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "farm-path-\(UUID().text)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder + "/there/deep", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "there/deep")
        try FileManager.default.createSymbolicLink(atPath: folder + "/dead", withDestinationPath: "nowhere/deep")
        let real = try #require(realpath(folder, nil).map { String(cString: $0) })
        #expect(PathText.absolute(folder + "/link/../a.jpg") == real + "/there/a.jpg")
        #expect(PathText.absolute(folder + "/link/x/../a.jpg") == folder + "/link/a.jpg", "no link before it")
        #expect(PathText.absolute(folder + "/link/a.jpg") == folder + "/link/a.jpg", "a link stays as it is named")
        #expect(PathText.absolute(folder + "/dead/../a.jpg") == folder + "/a.jpg")
        #expect(PathText.path(of: "/a/b/c", below: "/a") == "b/c" && PathText.path(of: "/ab", below: "/a") == nil)
        #expect(PathText.path(of: "/a", below: "/") == "a" && PathText.path(of: "/a//b", below: "/a/") == "b")
    }

    @Test("A path whose first slash bears an accent begins at the root all the same")
    func accentOnTheRoot() {
        #expect(PathText.isAbsolute("/\u{301}a") && !PathText.isAbsolute("a/") && !PathText.isAbsolute(""))
    }

    @Test(
        "The last extension goes, a leading dot stays",
        arguments: [("a.b.jpg", "a.b"), (".hidden", ".hidden"), ("a", "a"), ("a.", "a"), ("", ""), ("a.\u{301}b", "a")])
    func stem(_ name: String, _ stem: String) {
        #expect(PathText.stem(of: name) == stem)
    }
}
