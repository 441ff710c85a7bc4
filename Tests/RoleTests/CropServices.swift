import Doubles
import Model
import Pipeline

/// What detectors find, and the test doubles of services that are asked about it.
enum CropServices {
    static let person = detection("person", "🧑", 0.9, Box(x: 100, y: 100, width: 200, height: 400))
    static let dog = detection("dog", "🐶", 0.9, Box(x: 500, y: 500, width: 100, height: 100))

    static func face() -> ScriptedService {
        ScriptedService(
            "face",
            predictions: [
                .object([
                    "label": "face", "emoji": "🙂", "confidence": 0.9,
                    "bbox": Box(x: 10, y: 20, width: 30, height: 40).json, "keypoints": .object(["nose": [12, 24]]),
                ])
            ])
    }

    static func pose() -> ScriptedService {
        ScriptedService(
            "pose", predictions: [.object(["landmarks": .object(["nose": .object(["x": 0.5, "y": 0.25])])])])
    }

    static func colors() -> ScriptedService {
        ScriptedService("colors", predictions: [.object(["type": "color_analysis"])])
    }
}
