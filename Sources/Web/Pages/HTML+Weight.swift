/// What a page weighs is bounded, however much others have written: pages hold lists of other people's rows and words.
extension HTML {
    /// How many bytes it has.
    var weight: Int { text.utf8.count }

    /// The pieces from a place on that have at most so many bytes together, but one at least.
    /// - Parameters:
    ///   - count: pieces that there are.
    ///   - piece: makes the one at a place; it is asked for no more than are shown, and one.
    /// - Returns: the pieces, and the place of the first one that is left out; nil where none is.
    static func part(
        of count: Int, from start: Int = 0, upTo bytes: Int, piece: (Int) -> HTML
    ) -> (pieces: [HTML], next: Int?) {
        var (pieces, size) = ([HTML](), 0)
        for place in stride(from: max(0, start), to: count, by: 1) {
            let next = piece(place)
            guard pieces.isEmpty || size + next.weight <= bytes else { return (pieces, place) }
            pieces.append(next)
            size += next.weight
        }
        return (pieces, nil)
    }

    /// The first pieces that have at most so many bytes together, and a line that says how many are left out.
    static func first(
        _ pieces: [HTML], upTo bytes: Int, rest: (Int) -> HTML = { "\(HTML.count($0)) more are not shown here." }
    ) -> (pieces: [HTML], rest: HTML?) {
        let (shown, next) = part(of: pieces.count, upTo: bytes) { pieces[$0] }
        return (shown, next.map { "<p class=\"quiet\">\(rest(pieces.count - $0))</p>" })
    }

    /// Pieces in their long form as far as there is room for it, and else in their short one. Where even that is too
    /// much, the last ones are left out.
    static func fitted(_ pieces: [(short: HTML, long: HTML)], upTo bytes: Int) -> [HTML] {
        var (sizes, size) = ([Int](), 0)
        for piece in pieces {
            guard size + piece.short.weight <= bytes else { break }
            sizes.append(piece.short.weight)
            size += piece.short.weight
        }
        var spare = bytes - size
        return zip(pieces, sizes).map { piece, short in
            let more = piece.long.weight - short
            guard more <= spare else { return piece.short }
            spare -= more
            return piece.long
        }
    }
}
