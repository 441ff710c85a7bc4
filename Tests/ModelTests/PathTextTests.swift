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
