import Model

/// The part of a photo that a box shows, with the faces and poses that crop services have found there.
struct CropView {
    /// The address of the photo.
    let photo: String
    let size: ImagePageContent.Size
    let box: Box
    let findings: CropFindings
    /// The longer side, in pixels of the screen.
    let side: Double

    var html: HTML {
        guard box.width > 0, box.height > 0 else { return .none }
        // Of the box's own shape: beside it lies what is not in the box.
        let scale = side / max(box.width, box.height)
        return """
            <svg class="crop" width="\((box.width * scale).plainDigits)" height="\((box.height * scale).plainDigits)" \
            viewBox="\(box.x.plainDigits) \(box.y.plainDigits) \(box.width.plainDigits) \(box.height.plainDigits)" \
            preserveAspectRatio="none" role="img" aria-label="crop"><image href="\(attribute: photo)" \
            width="\(size.width)" height="\(size.height)" preserveAspectRatio="none"/>\
            \(CropMarks(findings, in: box, of: size).html)</svg>
            """
    }
}

/// Where faces and poses lie, in pixels of the upright photo.
struct CropMarks {
    /// A place in the photo.
    struct Point: Equatable {
        var x: Double
        var y: Double

        /// - Returns: nil for what is no place of any photo.
        init?(_ x: Double?, _ y: Double?) {
            guard let x, let y, abs(x) < 1e6, abs(y) < 1e6 else { return nil }
            (self.x, self.y) = (x, y)
        }

        init?(_ json: JSON?) { self.init(json?["x"]?.numberValue, json?["y"]?.numberValue) }
    }

    /// What is drawn, at most: a person has 33 landmarks.
    private static let (mostFaces, mostPeople, mostPoints) = (8, 4, 40)
    /// The limbs that are drawn, by the names of their ends.
    private static let limbs: [(String, String)] =
        [("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")]
        + ["left", "right"].flatMap { side in
            [("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle")]
                .map { ("\(side)_\($0.0)", "\(side)_\($0.1)") }
        }

    private(set) var faces: [Box] = []
    private(set) var points: [Point] = []
    private(set) var bones: [(Point, Point)] = []

    init(_ findings: CropFindings, in box: Box, of size: ImagePageContent.Size) {
        let area = CropMarks.area(box, of: size)
        for face in findings.predictions(of: "face").prefix(CropMarks.mostFaces) {
            if let box = CropMarks.place(of: face, in: area) { faces.append(box) }
            points += CropMarks.named(face["keypoints"], face["image_point"]) { Point(area.x + $0, area.y + $1) }.map(
                \.1)
        }
        for person in findings.predictions(of: "pose").prefix(CropMarks.mostPeople) {
            let found = CropMarks.named(person["landmarks"], nil) {
                Point(area.x + $0 * area.width, area.y + $1 * area.height)
            }
            let places = Dictionary(found) { first, _ in first }
            points += found.map(\.1)
            bones += CropMarks.limbs.compactMap { from, to in
                guard let from = places[from], let to = places[to] else { return nil }
                return (from, to)
            }
        }
    }

    var html: HTML {
        let faces = faces.map { face -> HTML in
            """
            <rect x="\(face.x.plainDigits)" y="\(face.y.plainDigits)" width="\(face.width.plainDigits)" \
            height="\(face.height.plainDigits)"/>
            """
        }
        let bones = bones.map { "M\($0.text)L\($1.text)" }.joined()
        // A line of no length with round ends is a point.
        let points = points.map { "M\($0.text)h0" }.joined()
        let limbs: HTML? = bones.isEmpty ? nil : "<path d=\"\(bones)\"/>"
        let dots: HTML? = points.isEmpty ? nil : "<path class=\"points\" d=\"\(points)\"/>"
        return "\(faces)\(limbs)\(dots)"
    }

    /// The whole pixels that the crop had, of which fractions and pixels of answers are (docs/services.md).
    private static func area(_ box: Box, of size: ImagePageContent.Size) -> Box {
        let (left, top) = (max(0, box.x.rounded(.down)), max(0, box.y.rounded(.down)))
        let right = min(Double(size.width), (box.x + box.width).rounded(.up))
        let bottom = min(Double(size.height), (box.y + box.height).rounded(.up))
        return Box(x: left, y: top, width: max(0, right - left), height: max(0, bottom - top))
    }

    /// As the enricher has placed it in the photo, or else in its crop as it was sent.
    private static func place(of prediction: JSON, in area: Box) -> Box? {
        let placed = Box(prediction["image_bbox"])
        let sent = Box(prediction["bbox"]).map {
            Box(x: area.x + $0.x, y: area.y + $0.y, width: $0.width, height: $0.height)
        }
        guard let box = placed ?? sent, Point(box.x, box.y) != nil, (0...1e6).contains(box.width),
            (0...1e6).contains(box.height)
        else { return nil }
        return box
    }

    /// Points, which come as a list or by name: placed by the enricher, each in itself or all of them beside the
    /// prediction, or else as they were sent.
    private static func named(
        _ value: JSON?, _ beside: JSON?, _ sent: (Double, Double) -> Point?
    ) -> [(String, Point)] {
        let elements: [(String, JSON)] =
            switch value {
            case .object(let members)?: members.prefix(mostPoints).map { ($0.key, $0.value) }
            case .array(let elements)?: elements.prefix(mostPoints).map { ("", $0) }
            default: []
            }
        return elements.compactMap { name, element in
            let pair = element.arrayValue ?? [element["x"], element["y"]].compactMap { $0 }
            let numbers = pair.prefix(2).compactMap(\.numberValue)
            let asSent = numbers.count == 2 ? sent(numbers[0], numbers[1]) : nil
            guard let point = Point(element["image_point"]) ?? Point(beside?[name]) ?? asSent else { return nil }
            return (name, point)
        }
    }
}

extension CropMarks.Point {
    /// As a path has it.
    fileprivate var text: String { "\(x.plainDigits) \(y.plainDigits)" }
}
