import Model

/// A part of the images that a search has looked at.
package struct SearchedPart: Sendable {
    /// The images that match, in the search's order.
    package var matches: [ImageID]
    /// The last one that was looked at; nil where there was none.
    package var last: ImageID?
    /// How many were looked at.
    package var count: Int

    package init(matches: [ImageID], last: ImageID?, count: Int) {
        self.matches = matches
        self.last = last
        self.count = count
    }
}

/// What a search has found.
package struct FoundImages: Sendable, Equatable {
    /// In the search's order, at most as many as were asked for.
    package var images: [ImageID] = []
    /// The search ended here, before it had found enough or come to the end.
    package var stoppedAt: ImageID?

    /// Nothing.
    package init() {}

    /// Images that are looked at in one statement, at most: more is more than a page needs.
    private static let largestPart = 20_000

    /// Looks at parts, each larger than the one before, until enough is found, nothing is left, or the bound is reached.
    /// - Parameters:
    ///   - largest: images that are looked at in one statement, at most.
    ///   - part: looks at so many images after a place, in the search's order.
    package static func search(
        from start: ImageID, limit: Int, bound: Int, largest: Int = .max,
        part: (_ after: ImageID, _ size: Int) async throws -> SearchedPart
    ) async rethrows -> FoundImages {
        var found = FoundImages()
        var (place, left, next) = (start, max(1, bound), limit)
        while true {
            let size = max(1, min(next, left))
            next = min(next * 4, largest, largestPart)
            let looked = try await part(place, size)
            found.images += looked.matches
            if found.images.count >= limit {
                found.images = Array(found.images.prefix(limit))
                return found
            }
            guard looked.count >= size, let last = looked.last else { return found }
            (place, left) = (last, left - looked.count)
            guard left > 0 else {
                found.stoppedAt = last
                return found
            }
        }
    }
}

extension ImagePage {
    /// A page without its tiles, and the images that they are of.
    /// - Parameter search: looks for so many images after a place in an order.
    package static func find(
        _ order: ImageOrder, at cursor: ImageCursor?, limit: Int,
        search: (_ order: ImageOrder, _ after: ImageID?, _ limit: Int) async throws -> FoundImages
    ) async rethrows -> (page: ImagePage, images: [ImageID]) {
        let limit = min(max(1, limit), ImageSearch.pageLimit)
        let isBefore = cursor?.isBefore ?? false
        let found = try await search(isBefore ? order.reversed : order, cursor?.imageID, limit + 1)
        var images = Array(found.images.prefix(limit))
        let end = found.images.count > limit ? images.last : found.stoppedAt
        if isBefore { images.reverse() }
        var page = ImagePage(searchedTo: found.images.count > limit ? nil : found.stoppedAt)
        // Nothing was found: the way back leads over the place itself.
        func beyond(_ id: ImageID, _ order: ImageOrder) -> ImageID {
            order == .newestFirst ? max(0, id - 1) : id == .max ? id : id + 1
        }
        if isBefore {
            page.previous = end.map(ImageCursor.init(before:))
            page.next = cursor.map { ImageCursor(after: images.last ?? beyond($0.imageID, order.reversed)) }
        } else {
            page.next = end.map(ImageCursor.init(after:))
            page.previous = cursor.map { ImageCursor(before: images.first ?? beyond($0.imageID, order)) }
        }
        return (page, images)
    }
}

extension ImageNeighbours {
    /// - Parameter search: looks for so many images after a place in an order.
    package static func find(
        of image: ImageID, _ order: ImageOrder,
        search: (_ order: ImageOrder, _ after: ImageID?, _ limit: Int) async throws -> FoundImages
    ) async rethrows -> ImageNeighbours {
        let next = try await search(order, image, 1)
        let previous = try await search(order.reversed, image, 1)
        return ImageNeighbours(
            previous: previous.images.first, next: next.images.first,
            isCutShort: next.stoppedAt != nil || previous.stoppedAt != nil)
    }
}

extension ImageQuery {
    /// A tag that an image must have: one of several, with a value of at least so much.
    package struct TagRule: Sendable, Equatable {
        /// Any of these.
        package var tags: [String]
        /// nil: whatever value.
        package var minimum: Double?
    }

    /// The tags that an image must have.
    package var tagRules: [TagRule] {
        var rules: [TagRule] = []
        if let label {
            rules.append(
                TagRule(
                    tags: [IndexTag.label(label)] + (includesUnfused ? [IndexTag.unfusedLabel(label)] : []),
                    minimum: minConfidence))
        }
        if let emoji { rules.append(TagRule(tags: [IndexTag.emoji(emoji)], minimum: minVotes.map(Double.init))) }
        return rules
    }

    /// No store holds a NUL, and none can be asked for one.
    package var isImpossible: Bool { [group, text].contains { $0?.utf8.contains(0) ?? false } }

    /// Votes of any emoji.
    package var minVotesOfAny: Int? { emoji == nil ? minVotes : nil }

    /// Confidence of any box.
    package var minConfidenceOfAny: Double? { label == nil ? minConfidence : nil }

    /// The text as it is compared, ASCII letters in lower case; nil for none.
    package var needle: String? {
        guard let text, !text.isEmpty else { return nil }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    ("A"..."Z").contains($0) ? Unicode.Scalar(UInt8($0.value) | 0x20) : $0
                }))
    }
}

/// The tags of the index, as text.
package enum IndexTag {
    /// The tag for the label of a fused box.
    package static func label(_ label: String) -> String { labelStart + cut(label) }
    /// The tag for the label of a detector's box that is in no fused box.
    package static func unfusedLabel(_ label: String) -> String { "u:" + cut(label) }
    /// The tag for an emoji of the consensus.
    package static func emoji(_ emoji: String) -> String { "e:" + cut(emoji) }

    /// What stands before a label.
    package static let labelStart = "l:"

    /// An index has no room for longer ones. No store holds a NUL.
    private static func cut(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(200).map { $0.value == 0 ? "\u{FFFD}" : $0 }))
    }
}

extension ImageFacts {
    /// Tags of an image, at most: a broken detector may name thousands of labels.
    private static let mostTags = 200

    /// Its tags, each with its value, the surest labels first.
    package var tags: [(tag: String, value: Double)] {
        func sorted(_ labels: [String: Double]) -> [(key: String, value: Double)] {
            labels.sorted { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }
        }
        let all =
            sorted(labels).map { (IndexTag.label($0.key), $0.value) }
            + emoji.sorted { $0.key < $1.key }.map { (IndexTag.emoji($0.key), Double($0.value)) }
            + sorted(unfusedLabels).map { (IndexTag.unfusedLabel($0.key), $0.value) }
        var seen: Set<String> = []
        return all.filter { seen.insert($0.0).inserted }.prefix(ImageFacts.mostTags).map { $0 }
    }

    /// The step of confidence that it is looked up by, 0…20; the exact one is compared beside it.
    package var sureness: Int { ImageFacts.sureness(confidence) }

    /// The step that a confidence lies in.
    package static func sureness(_ confidence: Double) -> Int {
        confidence.isNaN ? 20 : Int((min(max(confidence, 0), 1) * 20).rounded(.down))
    }

    /// The most votes that are told apart.
    package static let mostVotes = 63
}

extension ImageStanding {
    /// As the index holds it.
    package var json: JSON {
        .object([
            "answered": .array(answered.map(JSON.string)), "failed": .array(failed.map(JSON.string)),
            "consensus": .bool(hasConsensus), "disagrees": .bool(disagrees),
        ])
    }

    /// Reads what `json` wrote.
    package init(_ json: JSON) {
        func names(_ key: String) -> [String] { (json[key]?.arrayValue ?? []).compactMap(\.stringValue) }
        self.init(
            answered: names("answered"), failed: names("failed"), hasConsensus: json["consensus"]?.boolValue ?? false,
            disagrees: json["disagrees"]?.boolValue ?? false)
    }

    /// What rows say: of each service and status the largest `result_id`.
    package init(newest rows: [(service: String, status: String?, resultID: Int)]) {
        var newest: [String: (id: Int, isSuccess: Bool)] = [:]
        var answered: Set<String> = []
        for row in rows {
            let isSuccess = row.status == ResultStatus.success.rawValue
            if isSuccess { answered.insert(row.service) }
            if row.resultID > newest[row.service]?.id ?? -1 { newest[row.service] = (row.resultID, isSuccess) }
        }
        self.init(answered: answered.sorted(), failed: newest.filter { !$0.value.isSuccess }.keys.sorted())
    }
}

extension ResultSummary {
    /// `kind: message` of the data of an error row.
    package static func error(in data: JSON?) -> String? {
        guard let error = data?["error"], !error.isNull else { return nil }
        let parts = [error["kind"]?.stringValue, error["message"]?.stringValue].compactMap { $0 }
        return parts.isEmpty ? "error" : parts.joined(separator: ": ")
    }
}

extension ImageTile {
    /// - Parameters:
    ///   - votes: the list of emoji and votes, in the order of the consensus.
    ///   - expected: services that an image is sent to.
    package init(
        image: Image, labels: [Label], votes: JSON?, standing: ImageStanding, expected: [String], disagrees: Bool?
    ) {
        let emoji = (votes?.arrayValue ?? []).compactMap { entry in
            entry["emoji"]?.stringValue.map { Emoji(emoji: $0, votes: entry["votes"]?.integerValue ?? 0) }
        }
        self.init(
            image: image, labels: labels, emoji: emoji, state: standing.state(expecting: expected),
            missing: standing.missing(of: expected), failed: standing.failed, disagrees: disagrees)
    }
}
