import Foundation
import Model
import Pipeline

/// The pictures of a run, and what each service sees in them: always the same in the same picture, so that the answers of
/// a run do not depend on its schedule.
struct Album: Sendable {
    struct Thing: Sendable {
        var label: String
        var emoji: String
        var box: Box
    }

    /// What is wrong with a picture, for one service or for all.
    enum Flaw: Sendable, Equatable {
        /// The service says `status: error`.
        case serviceError
        /// JSON without predictions.
        case badAnswer
        /// Status 400.
        case clientError
        /// The store does not take the answer.
        case refused
        /// Whoever asks dies.
        case killer
    }

    struct Picture: Sendable {
        var image: Image
        var things: [Thing]
        var flaws: [String: Flaw]
        /// Where its file is not.
        var isMissing = false
    }

    let seed: UInt64
    /// By image_id, which counts from 1.
    let pictures: [Picture]

    private static let kinds = [
        ("person", "🧑"), ("dog", "🐕"), ("car", "🚗"), ("cat", "🐈"), ("chair", "🪑"), ("woman", "👩"),
    ]

    init(plan: Plan, dice: Dice) {
        seed = plan.seed
        pictures = (1...plan.images).map { id in
            let things = (0..<(plan.things ?? dice.whole(0...3))).map { _ in
                let (label, emoji) = dice.pick(Album.kinds)
                return Thing(
                    label: label, emoji: emoji,
                    box: Box(
                        x: Double(dice.below(700)), y: Double(dice.below(700)), width: Double(dice.whole(60...300)),
                        height: Double(dice.whole(60...300))))
            }
            var flaws: [String: Flaw] = [:]
            for service in plan.primaries {
                if dice.happens(plan.rates[.finalAnswer]) {
                    flaws[service] = dice.pick([.serviceError, .badAnswer, .clientError])
                }
                if dice.happens(plan.rates[.valueRefused]) { flaws[service] = .refused }
            }
            if dice.happens(plan.rates[.killerPicture]) { flaws[dice.pick(plan.primaries)] = .killer }
            let hasURL = dice.happens(0.5)
            let image = Image(
                id: id, filename: "\(id).jpg", path: "/photos/\(id).jpg",
                url: hasURL ? "http://images/\(id).jpg" : nil, group: ["a", "b", "c"][id % 3])
            return Picture(
                image: image, things: things, flaws: flaws, isMissing: dice.happens(plan.rates[.pictureMissing]))
        }
    }

    func picture(_ id: ImageID) -> Picture? { pictures.indices.contains(id - 1) ? pictures[id - 1] : nil }

    // MARK: Answers

    /// What a service says of a whole picture.
    func answer(_ service: String, _ id: ImageID) -> JSON? {
        guard let picture = picture(id) else { return nil }
        let evidence = CatalogueService.named(service)?.evidence ?? .none
        var chance = Dice(seed: mixed(seed, UInt64(id), Album.number(of: service)))
        switch picture.flaws[service] {
        case .serviceError?:
            return .object(["service": .string(service), "status": "error", "error": .object(["message": "no idea"])])
        case .badAnswer?: return .object(["service": .string(service), "status": "success"])
        default: break
        }
        let predictions: [JSON]
        switch evidence {
        case .spatial: predictions = detections(picture, &chance)
        case .semantic:
            predictions = [
                .object([
                    "text": .string(picture.things.map(\.label).joined(separator: " and ")),
                    "emoji_mappings": .array(
                        picture.things.map { .object(["word": .string($0.label), "emoji": .string($0.emoji)]) }),
                ])
            ]
        default:
            predictions = picture.things.filter { _ in chance.happens(0.7) }.map { thing in
                .object([
                    "label": .string(thing.label), "emoji": .string(thing.emoji),
                    "confidence": .double(Double(chance.below(100)) / 100),
                ])
            }
        }
        return Album.sound(service, predictions)
    }

    private func detections(_ picture: Picture, _ chance: inout Dice) -> [JSON] {
        picture.things.filter { _ in chance.happens(0.8) }.map { thing in
            func near(_ value: Double) -> JSON { .double(value + Double(chance.below(9)) - 4) }
            return .object([
                "label": .string(thing.label), "emoji": .string(thing.emoji),
                "confidence": .double(0.4 + Double(chance.below(60)) / 100),
                "bbox": .object([
                    "x": near(thing.box.x), "y": near(thing.box.y), "width": near(thing.box.width),
                    "height": near(thing.box.height),
                ]),
            ])
        }
    }

    /// What a service says of a crop, which it knows by its bytes.
    func answer(_ service: String, crop: [UInt8]) -> JSON {
        let chance = Dice(seed: crop.reduce(mixed(seed, Album.number(of: service))) { mixed($0, UInt64($1)) })
        switch service {
        case "colors":
            return Album.sound(service, [.object(["type": "color_analysis", "hue": .int(Int64(chance.below(360)))])])
        case "face":
            guard chance.happens(0.6) else { return Album.sound(service, []) }
            return Album.sound(
                service,
                [
                    .object([
                        "label": "face", "emoji": "🙂", "confidence": .double(Double(chance.below(100)) / 100),
                        "bbox": .object(["x": 5, "y": 6, "width": 20, "height": 20]),
                    ])
                ])
        default:
            guard chance.happens(0.6) else { return Album.sound(service, []) }
            return Album.sound(
                service,
                [.object(["landmarks": .object(["nose": .object(["x": 0.5, "y": 0.25])]), "confidence": 0.9])])
        }
    }

    private static func sound(_ service: String, _ predictions: [JSON]) -> JSON {
        .object([
            "service": .string(service), "status": "success", "predictions": .array(predictions),
            "metadata": .object(["processing_time": 0.25]),
        ])
    }

    private static func number(of service: String) -> UInt64 {
        service.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }
    }
}
