/// An axis-parallel rectangle in pixels of the upright picture. The origin is the upper left corner.
public struct Box: Sendable, Equatable, Hashable {
    /// The left edge, in pixels.
    public var x: Double
    /// The upper edge, in pixels.
    public var y: Double
    /// The width, in pixels.
    public var width: Double
    /// The height, in pixels.
    public var height: Double

    package init(x: Double, y: Double, width: Double, height: Double) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// The area, in square pixels.
    public var area: Double { width * height }

    /// `{"x", "y", "width", "height"}`.
    public var json: JSON {
        .object(["x": .double(x), "y": .double(y), "width": .double(width), "height": .double(height)])
    }

    /// Reads `{"x", "y", "width", "height"}`. nil unless all four are numbers.
    public init?(_ json: JSON?) {
        guard case .object(let members)? = json else { return nil }
        var (x, y, width, height): (Double?, Double?, Double?, Double?)
        // If a key is there twice, the last one counts, as everywhere.
        for index in members.indices {
            switch members[index].key {
            case "x": x = members[index].value.numberValue
            case "y": y = members[index].value.numberValue
            case "width": width = members[index].value.numberValue
            case "height": height = members[index].value.numberValue
            default: break
            }
        }
        guard let x, let y, let width, let height else { return nil }
        self.init(x: x, y: y, width: width, height: height)
    }
}
