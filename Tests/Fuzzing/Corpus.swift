import Foundation

/// The inputs and words that an entry point starts from.
struct Corpus {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    /// In the order of their files' names.
    let inputs: [[UInt8]]
    /// Pieces that mean something to it: Tests/Corpora/NAME.dict, in the form of AFL and libFuzzer.
    let words: [[UInt8]]

    init(of entry: EntryPoint) throws {
        let corpora = Corpus.tests.appending(path: "Corpora")
        let folders =
            [corpora.appending(path: entry.name)] + (entry.fixtures.map { [Corpus.tests.appending(path: $0)] } ?? [])
        inputs = try folders.flatMap { folder in
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
                [UInt8](try Data(contentsOf: folder.appending(path: $0)))
            }
        }
        let list = corpora.appending(path: entry.name + ".dict")
        words = try String(contentsOf: list, encoding: .utf8).split(separator: "\n").compactMap(Corpus.word)
    }

    /// The word of a line such as `"\x00ab"`; nil for a comment.
    private static func word(_ line: Substring) -> [UInt8]? {
        guard line.hasPrefix("\""), line.hasSuffix("\""), line.utf8.count > 2 else { return nil }
        var bytes: [UInt8] = []
        var rest = line.utf8.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escaped = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            if escaped == UInt8(ascii: "x") {
                bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(escaped)
            }
        }
        return bytes
    }
}
