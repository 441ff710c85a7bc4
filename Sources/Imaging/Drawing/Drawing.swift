import Pictures
import Pipeline

extension Canvas {
    /// More boxes would hide the picture, and the time for placing their labels grows with the square of their number.
    private static let mostBoxes = 500

    /// Draws boxes, the largest first so that small ones stay on top, and then their labels on top of all boxes. If
    /// there are very many, it draws those with the highest scores.
    func draw(_ boxes: [AnnotatedBox]) throws(PictureFault) {
        let boxes = boxes.count > Canvas.mostBoxes ? boxes.surest(Canvas.mostBoxes) : boxes
        let scale = DrawingScale(width: pixels.width, height: pixels.height)
        let visible = boxes.compactMap { box in
            PixelArea(box.box, in: (pixels.width, pixels.height)).map { (box: box, area: $0) }
        }
        guard !visible.isEmpty else { return }
        let ordered = visible.sorted { $0.area.width * $0.area.height > $1.area.width * $1.area.height }
        for (box, area) in ordered {
            outline(area, line: scale.line, labelColour(box.label))
        }

        let vips = try Vips(for: "the drawing of labels")
        var layout = LabelLayout(width: pixels.width, height: pixels.height, boxes: ordered.map(\.area))
        for (box, area) in ordered {
            let colour = labelColour(box.label)
            let text = try vips.draw(markup: labelMarkup(box), font: "DejaVu Sans \(scale.text)px")
            let bar = layout.place(width: text.width + 2 * scale.padding, height: scale.barHeight, for: area)
            fill(bar, colour)
            draw(text, x: bar.x + scale.padding, y: bar.y + scale.lineTop + text.inkTop, colour.readableText)
        }
    }
}

extension [AnnotatedBox] {
    /// The boxes with the highest scores. Scores that are not numbers come last.
    fileprivate func surest(_ count: Int) -> [AnnotatedBox] {
        func rank(_ box: AnnotatedBox) -> Double { box.score.isNaN ? -.infinity : box.score }
        return Array(sorted { rank($0) > rank($1) }.prefix(count))
    }
}
