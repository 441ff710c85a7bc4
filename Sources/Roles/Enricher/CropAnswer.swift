import Model

/// A service's answer about a crop. Everything with a position in the crop gets its position in the image too.
struct CropAnswer {
    private let answer: JSON
    /// The part of the upright image that the crop shows.
    private let area: Box

    init(_ answer: JSON, area: Box) {
        self.answer = answer
        self.area = area
    }

    /// Predictions get `image_bbox` beside `bbox`, and a landmark or keypoint `{x, y}` gets `image_point`. Keypoints
    /// that are bare pairs `[x, y]` cannot get a member, so their prediction gets `image_point`, with the same names.
    var placed: JSON {
        guard case .object(var members) = answer else { return answer }
        for index in members.indices where members[index].key == "predictions" {
            guard case .array(let predictions) = members[index].value else { continue }
            members[index].value = .array(predictions.map(placed))
        }
        return .object(members)
    }

    private func placed(_ prediction: JSON) -> JSON {
        guard case .object(let members) = prediction else { return prediction }
        var result: [JSON.Member] = []
        for member in members {
            switch member.key {
            case "bbox":
                result.append(member)
                if let box = Box(member.value) { result.append(JSON.Member("image_bbox", shifted(box).json)) }
            case "landmarks":
                result.append(JSON.Member(member.key, points(member.value) { fraction($0, $1) }))
            case "keypoints":
                result.append(JSON.Member(member.key, points(member.value) { pixel($0, $1) }))
                if let pairs = pairs(member.value) { result.append(JSON.Member("image_point", pairs)) }
            default: result.append(member)
            }
        }
        return .object(result)
    }

    private func shifted(_ box: Box) -> Box {
        Box(x: rounded(area.x + box.x), y: rounded(area.y + box.y), width: box.width, height: box.height)
    }

    private func pixel(_ x: Double, _ y: Double) -> JSON {
        .object(["x": .double(rounded(area.x + x)), "y": .double(rounded(area.y + y))])
    }

    /// The position of a pose landmark, which is given as fractions from 0 to 1 of the picture that was sent.
    private func fraction(_ x: Double, _ y: Double) -> JSON { pixel(x * area.width, y * area.height) }

    private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

    /// Points come as a list or by name.
    private func points(_ value: JSON, _ place: (Double, Double) -> JSON) -> JSON {
        switch value {
        case .array(let elements): .array(elements.map { point($0, place) })
        case .object(let members): .object(members.map { JSON.Member($0.key, point($0.value, place)) })
        default: value
        }
    }

    private func point(_ value: JSON, _ place: (Double, Double) -> JSON) -> JSON {
        guard case .object(let members) = value, let x = value["x"]?.numberValue, let y = value["y"]?.numberValue else {
            return value
        }
        return .object(members + [JSON.Member("image_point", place(x, y))])
    }

    private func pairs(_ value: JSON) -> JSON? {
        func placed(_ value: JSON) -> JSON? {
            guard let pair = value.arrayValue, pair.count >= 2, let x = pair[0].numberValue, let y = pair[1].numberValue
            else {
                return nil
            }
            return pixel(x, y)
        }
        switch value {
        case .array(let elements):
            let points = elements.compactMap(placed)
            return points.isEmpty ? nil : .array(points)
        case .object(let members):
            let points = members.compactMap { member in placed(member.value).map { JSON.Member(member.key, $0) } }
            return points.isEmpty ? nil : .object(points)
        default: return nil
        }
    }
}

extension Enrichment {
    /// Whether a stored error says that the picture itself cannot be used: no service was asked, and another try would
    /// not help.
    static func isFinal(_ data: JSON) -> Bool {
        guard let error = data["error"], error["tries"]?.integerValue == 0 else { return false }
        let kind = error["kind"]?.stringValue
        return kind == FailureKind.image.rawValue || kind == FailureKind.tooLarge.rawValue
    }
}
