import Foundation
import Testing

/// The pages' links lead somewhere, and the files that CONTRIBUTING.md and the decisions name are there.
@Suite("What the pages link to")
struct LinkedPageTests {
    /// All pages, from the root of the package.
    private static let pages: [String] = ["", "docs", "docs/decisions", "examples/services"].flatMap { folder in
        let names = try? FileManager.default.contentsOfDirectory(atPath: Program.root.appending(path: folder).path)
        return (names ?? []).filter { $0.hasSuffix(".md") }.sorted().map { folder.isEmpty ? $0 : "\(folder)/\($0)" }
    }

    @Test("exists, and has the section", arguments: pages)
    func links(_ page: String) throws {
        let url = Program.root.appending(path: page)
        for link in try String(contentsOf: url, encoding: .utf8).matches(of: /\]\(([^)\s]+)\)/).map(\.1) {
            guard !link.hasPrefix("http") else { continue }
            let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            let target = parts[0].isEmpty ? url : url.deletingLastPathComponent().appending(path: String(parts[0]))
            guard FileManager.default.fileExists(atPath: target.path) else {
                Issue.record("\(page) links to \(link), which does not exist")
                continue
            }
            guard parts.count == 2 else { continue }
            #expect(try anchors(of: target).contains(String(parts[1])), "\(page) links to \(link)")
        }
    }

    @Test(
        "is a file where a page names one",
        arguments: ["CONTRIBUTING.md"] + pages.filter { $0.hasPrefix("docs/decisions/") })
    func files(_ page: String) throws {
        let text = try String(contentsOf: Program.root.appending(path: page), encoding: .utf8)
        for path in text.matches(of: /\b(?:Sources|Tests|scripts|config|docs|examples)\/[A-Za-z0-9_.\/+-]*[A-Za-z0-9]/)
        {
            let place = Program.root.appending(path: String(path.output)).path
            #expect(FileManager.default.fileExists(atPath: place), "\(page) names \(path.output)")
        }
    }

    @Test("is every decision, in their list")
    func decisions() throws {
        let folder = Program.root.appending(path: "docs/decisions")
        let list = try String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8)
        for page in try FileManager.default.contentsOfDirectory(atPath: folder.path) where page != "README.md" {
            #expect(list.contains("](\(page))"), "docs/decisions/README.md lacks \(page)")
        }
    }

    /// The names under which a page's headings can be linked to, by GitHub's rule.
    private func anchors(of page: URL) throws -> Set<String> {
        let headings = try String(contentsOf: page, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("#") }
        return Set(
            headings.map { heading in
                heading.drop { $0 == "#" }.dropFirst().lowercased()
                    .filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
                    .replacing(" ", with: "-")
            })
    }
}
