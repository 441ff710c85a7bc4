/// Finds places for the bars of labels, one after another.
struct LabelLayout {
    private let picture: (width: Int, height: Int)
    private let boxes: [PixelArea]
    private var bars: [PixelArea] = []

    init(width: Int, height: Int, boxes: [PixelArea]) {
        picture = (width, height)
        self.boxes = boxes
    }

    /// The place for the bar of a box: above it, inside at its top, below it, or inside at its bottom, aligned to its
    /// left or right edge. Among those inside the picture, it is the one that hides least.
    mutating func place(width: Int, height: Int, for box: PixelArea) -> PixelArea {
        let tops = [
            (box.y - height, 0), (box.y, 0.02), (box.y + box.height, 0.05), (box.y + box.height - height, 0.07),
        ]
        let lefts = [(box.x, 0), (box.x + box.width - width, 0.03)]
        var best = area(x: box.x, y: 0, width: width, height: height)
        var lowest = Double.infinity
        for (top, topCost) in tops where top >= 0 && top + height <= picture.height {
            for (left, leftCost) in lefts {
                let area = area(x: left, y: top, width: width, height: height)
                let cost = hidden(by: area) + topCost + leftCost
                if cost < lowest { (best, lowest) = (area, cost) }
            }
        }
        bars.append(best)
        return best
    }

    /// How much a bar hides: the share of each box, so that small boxes count most, and of other bars four times as
    /// much.
    private func hidden(by area: PixelArea) -> Double {
        boxes.reduce(0) { $0 + $1.share(hiddenBy: area) } + 4 * bars.reduce(0) { $0 + $1.share(hiddenBy: area) }
    }

    /// The area, moved sideways into the picture.
    private func area(x: Int, y: Int, width: Int, height: Int) -> PixelArea {
        PixelArea(x: max(0, min(x, picture.width - width)), y: y, width: width, height: height)
    }
}

extension PixelArea {
    /// From 0 to 1.
    fileprivate func share(hiddenBy other: PixelArea) -> Double {
        let across = min(x + width, other.x + other.width) - max(x, other.x)
        let down = min(y + height, other.y + other.height) - max(y, other.y)
        return Double(max(0, across)) * Double(max(0, down)) / (Double(width) * Double(height))
    }
}
