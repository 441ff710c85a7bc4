import ImageLists
import Model
import Pipeline

/// The result of an import.
package struct ImportOutcome {
    /// How many lines of one kind are shown. Nobody reads more.
    private static let shown = 20

    private let verbose: ((String) -> Void)?
    /// The images, by what happened to them.
    package private(set) var counts = ImportCounts()
    private var skipped: [SkippedFile.Kind: Int] = [:]
    /// How many existing images have another path or URL, and whether that was written.
    private var differing = 0
    private var isUpdated = false
    /// The first faults and differences. They are shown at the end, so that they are not lost among other lines.
    private var faults: [String] = []
    private var differences: [String] = []
    /// The ids of the images in the order in which they were found, if they are needed.
    package var ids: [ImageID] = []

    package init(verbose: ((String) -> Void)?) { self.verbose = verbose }

    /// How many files and lines were looked at.
    package var seen: Int { counts.added + counts.existing + skipped.values.reduce(0, +) }

    /// How many were refused: named files that are no image, damaged ones, lines that are no record, names of nothing.
    package var refused: Int { self[.refused] + self[.missing] }

    /// How many files and lines were skipped for this reason.
    package subscript(kind: SkippedFile.Kind) -> Int { skipped[kind] ?? 0 }

    mutating func skip(_ files: [SkippedFile]) {
        for file in files {
            skipped[file.kind, default: 0] += 1
            let line = "\(file.place): \(file.reason)".escapingSteering()
            if let verbose {
                verbose(line)
            } else if file.kind.isFault, faults.count < ImportOutcome.shown {
                faults.append(line)
            }
        }
    }

    package mutating func take(_ answer: ImportAnswer, updated: Bool) {
        counts += answer.counts
        differing += answer.differences.count
        isUpdated = updated
        for difference in answer.differences {
            let line = difference.text.escapingSteering()
            if let verbose {
                verbose(line)
            } else if !updated, differences.count < ImportOutcome.shown {
                differences.append(line)
            }
        }
    }

    /// The faults and the differences, one line for each.
    package var faultLines: [String] {
        var lines = differences
        if verbose == nil, !isUpdated, differing > differences.count {
            lines.append("… and \(differing - differences.count) more images")
        }
        lines += faults
        if verbose == nil, refused > faults.count { lines.append("… and \(refused - faults.count) more") }
        return lines
    }

    // MARK: Telling

    /// The members in `farm import --json` (spec section 1).
    package var members: [JSON.Member] {
        func count(_ count: Int) -> JSON { .int(Int64(count)) }
        return [
            JSON.Member("added", count(counts.added)), JSON.Member("existing", count(counts.existing)),
            JSON.Member("moved", count(counts.moved)), JSON.Member("updated", count(isUpdated ? differing : 0)),
            JSON.Member("differing", count(isUpdated ? 0 : differing)), JSON.Member("skipped", count(self[.noImage])),
            JSON.Member("drawn", count(self[.drawn])), JSON.Member("camera_raw", count(self[.cameraRaw])),
            JSON.Member("left_out", count(self[.leftOut])), JSON.Member("refused", count(refused)),
        ]
    }

    /// - Parameter group: the group into which images were moved. nil if none were to be moved.
    package func parts(movedInto group: String?) -> [String] {
        var parts = ["\(counts.added) added", "\(counts.existing) there already"]
        if let group { parts.append("\(counts.moved) moved into \(group)") }
        func add(_ count: Int, _ text: String) { if count > 0 { parts.append(text) } }
        let other = "with another path or URL"
        add(differing, isUpdated ? "\(differing) updated" : "\(differing) of them \(other): --update writes it")
        add(self[.noImage], "\(counted(self[.noImage], "file")) skipped: no image")
        add(self[.cameraRaw], "\(counted(self[.cameraRaw], "file")) skipped: camera raw")
        add(self[.drawn], "\(counted(self[.drawn], "picture")) skipped: drawn by farm")
        add(self[.leftOut], "\(self[.leftOut]) left out")
        add(refused, "\(refused) refused")
        return parts
    }
}

extension ImageDifference {
    fileprivate var text: String {
        let paths = stored.path == written.path ? nil : ("path", stored.path, written.path)
        let urls = stored.url == written.url ? nil : ("URL", stored.url, written.url)
        let parts = [paths, urls].compactMap { $0 }.map { what, old, new in
            "\(what) \(new ?? "") is named, but \(old.map { $0.isEmpty ? "none" : $0 } ?? "none") is stored"
        }
        return "image \(stored.id): " + parts.joined(separator: "; ")
    }
}
