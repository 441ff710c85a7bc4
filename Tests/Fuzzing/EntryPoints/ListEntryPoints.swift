import Model

@testable import ImageLists

extension EntryPoint {
    /// A CSV list of images. The first byte says in which pieces the others are read.
    static let csvList = EntryPoint(name: "csv") { input in
        guard let first = input.first else { return }
        let list = input.dropFirst()
        let whole = read(list, pieces: list.count)
        let pieces = read(list, pieces: Int(first) + 1)
        try promise(whole == pieces, "read otherwise in pieces: \(pieces)")
        guard let header = whole.records.first.flatMap({ try? CSVHeader($0) }) else { return }
        for record in whole.records.dropFirst() {
            guard let image = try? header.image(record, relativeTo: "/lists/a.csv", group: nil) else { continue }
            try promise(image.path ?? image.url ?? image.filename != nil, "an image that is nowhere")
            try promise(image.path.map(PathText.isAbsolute) != false, "a relative path: \(image.path ?? "")")
        }
    }

    private struct Outcome: Equatable {
        var records: [CSVReader.Record] = []
        var fault: CSVReader.Fault?
    }

    private static func read(_ list: ArraySlice<UInt8>, pieces: Int) -> Outcome {
        var reader = CSVReader()
        var outcome = Outcome()
        do {
            for start in stride(from: list.startIndex, to: list.endIndex, by: max(1, pieces)) {
                try reader.read(list[start..<min(start + max(1, pieces), list.endIndex)]) { outcome.records.append($0) }
            }
            try reader.finish { outcome.records.append($0) }
        } catch {
            outcome.fault = error as? CSVReader.Fault
        }
        return outcome
    }
}
