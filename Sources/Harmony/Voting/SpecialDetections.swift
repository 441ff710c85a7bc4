import Model

/// `special` of consensus_data (spec section 7, rule 7): text, faces, and what is not safe for work.
///
/// The text is ocr's first prediction with `has_text: true`. Its emoji is 💬 if it names none. A face is a prediction of
/// the face service with emoji 🙂, or any of its predictions about the crop of a box. A 🙂 in a caption is no face. If
/// there are several faces, or several 🔞 of nsfw2, the one with the highest confidence is shown. A confidence that is
/// not a number is null. `content` is the text, and `pose` is the face's pose if it has one.
func specialDetections(_ successes: [StoredResult], boxes: [BoxEvidence]) -> JSON {
    func answer(of service: String) -> [JSON] {
        successes.first { $0.service == service }.map { predictions(in: $0.data) } ?? []
    }
    let text = answer(of: "ocr").first { $0["has_text"]?.boolValue == true }
    let faces = answer(of: "face").filter { $0.names("🙂") } + boxes.flatMap(\.faces)
    let unsafe = answer(of: "nsfw2").filter { $0.names("🔞") }
    return .object([
        "text": text.map { special(emoji: $0.emoji ?? "💬", $0, .init("content", .optional($0["text"]?.stringValue))) }
            ?? notDetected,
        "face": surest(
            faces.map { face in
                special(emoji: "🙂", face, face["pose"].flatMap { $0.isNull ? nil : .init("pose", $0) })
            }),
        "nsfw": surest(unsafe.map { special(emoji: "🔞", $0) }),
    ])
}

private let notDetected = JSON.object(["detected": false])

private func special(emoji: String, _ prediction: JSON, _ detail: JSON.Member? = nil) -> JSON {
    let confidence = prediction["confidence"]?.numberValue.map(JSON.double) ?? .null
    let members: [JSON.Member] = [
        .init("detected", true), .init("emoji", .string(emoji)), .init("confidence", confidence),
    ]
    return .object(members + (detail.map { [$0] } ?? []))
}

/// The detection with the highest confidence. Among equal ones, the one whose JSON text comes first, since their order
/// must not matter.
private func surest(_ detections: [JSON]) -> JSON {
    func confidence(_ detection: JSON) -> Double { detection["confidence"]?.numberValue ?? -.infinity }
    return detections.max { left, right in
        let (less, more) = (confidence(left), confidence(right))
        return less == more ? right.text.precedes(left.text) : less < more
    } ?? notDetected
}

extension JSON {
    /// The prediction's own emoji, normalised.
    fileprivate var emoji: String? { self["emoji"]?.stringValue.flatMap(normalizedEmoji) }

    fileprivate func names(_ wanted: String) -> Bool { emoji?.isExactly(wanted) == true }
}
