import Model
import Testing

@testable import Web

@Suite("What crop services have found")
struct CropTests {
    private let box = Box(x: 10.4, y: 20.6, width: 100, height: 50)
    private let size = ImagePageContent.Size((width: 640, height: 480))

    private func findings(_ service: String, _ predictions: String) throws -> CropFindings {
        let data = JSON.object([JSON.Member("predictions", try JSON(parsing: predictions))])
        return CropFindings([StoredEnrichment(mergedID: 1, service: service, data: data, status: .success)])
    }

    private func marks(_ service: String, _ predictions: String) throws -> CropMarks {
        CropMarks(try findings(service, predictions), in: box, of: size)
    }

    @Test("lies where the enricher has placed it, or else where it lay in the crop")
    func places() throws {
        let bbox = #""bbox": {"x": 5, "y": 6, "width": 20, "height": 30}"#
        let placed = #""image_bbox": {"x": 15.5, "y": 26, "width": 20, "height": 30}"#
        #expect(try marks("face", "[{\(bbox), \(placed)}]").faces == [Box(x: 15.5, y: 26, width: 20, height: 30)])
        // The crop began at the whole pixel (docs/services.md).
        #expect(try marks("face", "[{\(bbox)}]").faces == [Box(x: 15, y: 26, width: 20, height: 30)])
        let pairs = #""keypoints": {"nose": [3, 4]}"#
        #expect(try marks("face", "[{\(pairs)}]").points == [CropMarks.Point(13, 24)])
        let beside = #""image_point": {"nose": {"x": 1, "y": 2}}"#
        #expect(try marks("face", "[{\(pairs), \(beside)}]").points == [CropMarks.Point(1, 2)])
        // Fractions of the crop: 101 by 51 pixels, from 10 and 20 on.
        let pose = try marks(
            "pose",
            """
            [{"landmarks": {"left_hip": {"x": 0.5, "y": 0.5},
                "left_knee": {"x": 0, "y": 1, "image_point": {"x": 7, "y": 8}}}}]
            """)
        #expect(pose.points == [CropMarks.Point(60.5, 45.5), CropMarks.Point(7, 8)])
        #expect(pose.bones.count == 1 && pose.html.text.contains("M60.50 45.50L7 8"), "\(pose.html.text)")
    }

    @Test(
        "breaks no page, whatever numbers, names and lengths somebody has sent",
        arguments: [
            #"[{"bbox": {"x": 1e300, "y": 0, "width": 5, "height": 5}}]"#,
            #"[{"bbox": {"x": 0, "y": 0, "width": -5, "height": 5}}]"#,
            #"[{"bbox": {"x": "1", "y": 0, "width": 5, "height": 5}}]"#,
            #"[{"image_bbox": {"x": 1e7, "y": 0, "width": 1, "height": 1}}]"#,
            #"[{"keypoints": [[1e300, 1], [1], [], "x", null, 5]}]"#,
            #"[{"landmarks": {"a": {"x": -1e200, "y": 0.5}, "b": {"x": "0"}, "c": {"x": null, "y": null}}}]"#,
            #"["x", 5, null, [], [[]]]"#, "5", #""x""#, "null", "{}",
            ##"[{"palette": {"colors": ["red", {"hex": "#12345"}, {"hex": "#12345g"}, {"hex": 5}, {"hex": "red\"/><b>"}]}}]"##,
        ])
    func hostile(text: String) throws {
        for service in Enrichment.services {
            #expect(try marks(service, text).html.text.isEmpty, "\(service)")
            #expect(try findings(service, text).swatches == nil)
        }
    }

    @Test("is drawn up to a number of faces, people and points")
    func bounds() throws {
        let points = (0..<5000).map { "\"point_\($0)\": {\"x\": 0.123, \"y\": 0.456}" }.joined(separator: ", ")
        let person = "{\"landmarks\": {\(points)}, \"keypoints\": {\(points)}}"
        let people = "[" + Array(repeating: person, count: 20).joined(separator: ", ") + "]"
        for service in Enrichment.services { #expect(try marks(service, people).html.weight < 6000, "\(service)") }
        let colours = Array(repeating: ##"{"hex": "#aa5500", "share": 0.6}"##, count: 5000).joined(separator: ", ")
        let palette = try findings("colors", "[{\"palette\": {\"colors\": [\(colours)]}}]")
        #expect(palette.colours.count == 8 && palette.colours.first?.text == "#aa5500 60 %")
    }

    @Test("of which a service has failed is said, and nothing is drawn")
    func failed() {
        let bbox = JSON.object([JSON.Member("bbox", box.json)])
        let row = StoredEnrichment(
            mergedID: 1, service: "face", data: .object([JSON.Member("predictions", .array([bbox]))]), status: .error)
        #expect(CropMarks(CropFindings([row]), in: box, of: size).faces.isEmpty)
        #expect(CropFindings([row]).summary.text == "<span class=\"bad\">face failed</span>")
    }
}
