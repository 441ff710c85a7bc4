import Harmony
import Model
import Operations

/// The photo with a layer of boxes for each detector and one for the fused boxes. The layers are switched by check boxes, which
/// need no script.
struct PhotoView {
    /// Layers that have a colour and a pattern of their own.
    private static let layers = 12
    /// Boxes that are drawn: what more a broken detector sends nobody could tell apart.
    private static let drawn = 400
    /// Bytes of the detectors' boxes, and of the fused ones. Where there are many, the less sure ones say less of
    /// themselves.
    private static let (detectorBytes, fusedBytes) = (22_000, 7_000)

    let detail: ImageDetail
    let size: ImagePageContent.Size
    /// Whether the detectors' boxes are shown to begin with, beside the fused ones.
    var showsDetectors = false

    var html: HTML {
        let detectors = detail.explanation.detectors.prefix(PhotoView.layers)
        let switches = detectors.enumerated().map { index, service -> HTML in
            layerSwitch("layer-\(index)", service, key: index < 9 ? "\(index + 1)" : nil, isOn: showsDetectors)
        }
        let (boxes, omitted) = predictions(of: Array(detectors))
        let layers = boxes.enumerated().map { index, boxes -> HTML in
            "<g class=\"layer layer-\(index)\">\(boxes)</g>"
        }
        let note: HTML? =
            omitted == 0 ? nil : "<p class=\"quiet\">Not drawn: \(counted(omitted, "box")), the least sure ones.</p>"
        return """
            <div class="viewer">
            \(layerSwitch("layer-fused", "fused boxes", key: "0", isOn: true))\(switches)
            <div class="slider" hidden><label>Dim boxes with a confidence below <span id="threshold">0</span>
            <input type="range" id="confidence" min="0" max="1" step="0.01" value="0"></label>
            <p class="quiet">Keys: 1–9 detectors, 0 fused boxes, space all boxes, ← and → the images beside this one.</p></div>
            <figure><svg viewBox="0 0 \(size.width) \(size.height)" role="img" aria-label="The photo with its boxes">
            <image href="\(detail.report.image.id)/photo" width="\(size.width)" height="\(size.height)" \
            preserveAspectRatio="none"/>\(layers)<g class="layer layer-fused">\(fused)</g></svg></figure>\(note)
            </div>
            """
    }

    private func layerSwitch(_ id: String, _ name: String, key: String?, isOn: Bool) -> HTML {
        let shown: HTML? = key.map { " <kbd>\($0)</kbd>" }
        return """
            <input type="checkbox" class="layer-switch" id="\(id)" autocomplete="off"\(isOn ? HTML(" checked") : .none)>\
            <label for="\(id)" class="\(id)"><svg class="dash" viewBox="0 0 44 10" aria-hidden="true">\
            <path d="M0 5h44"/></svg>\(name.printable(upTo: 60))\(shown)</label>
            """
    }

    /// The boxes of each detector, and how many there was no room for. The surest come first.
    private func predictions(of detectors: [String]) -> (layers: [[HTML]], omitted: Int) {
        let explanation = detail.explanation
        let seen = explanation.predictions.filter { $0.bbox != nil && detectors.contains($0.service) }
            .sorted { ($0.confidence ?? 0) > ($1.confidence ?? 0) }
        let candidates = seen.prefix(PhotoView.drawn)
        let drawn = HTML.fitted(
            candidates.map { prediction in
                let name = "\((prediction.label ?? "?").printable(upTo: 60)) \(prediction.confidence?.twoDigits ?? "")"
                let text = "\(name), \(prediction.service.printable(upTo: 60))"
                let box = prediction.bbox ?? Box(x: 0, y: 0, width: 0, height: 0)
                return (
                    short: rectangle(box, text, prediction.confidenceAttribute),
                    long: rectangle(
                        box, "\(text): \(explanation.fate(of: prediction).printable(upTo: 300))",
                        prediction.confidenceAttribute)
                )
            }, upTo: PhotoView.detectorBytes)
        let layers = detectors.map { service in
            zip(candidates, drawn).filter { $0.0.service == service }.map(\.1)
        }
        return (layers, seen.count - drawn.count)
    }

    private var fused: [HTML] {
        let boxes = detail.report.findings.boxes.compactMap(\.box).sorted { $0.score > $1.score }
        return HTML.fitted(
            boxes.prefix(PhotoView.drawn).map { box in
                let confidence: HTML = " data-confidence=\"\(box.averageConfidence.plainDigits)\""
                let name = "\(box.clusterID.printable(upTo: 60)), confidence \(box.averageConfidence.twoDigits)"
                return (
                    short: rectangle(box.bbox, name, confidence),
                    long: rectangle(box.bbox, "\(name): seen by \(box.sight.printable(upTo: 300))", confidence)
                )
            }, upTo: PhotoView.fusedBytes)
    }

    private func rectangle(_ box: Box, _ text: String, _ attributes: HTML) -> HTML {
        """
        <rect x="\(box.x.plainDigits)" y="\(box.y.plainDigits)" width="\(max(0, box.width).plainDigits)" \
        height="\(max(0, box.height).plainDigits)"\(attributes)><title>\(text)</title></rect>
        """
    }
}

extension MergedBox {
    /// Who has seen it, and how surely.
    var sight: String {
        let seen = detections.prefix(40).map { "\($0.service) \($0.confidence.twoDigits)" }
        return seen.joined(separator: ", ") + (detections.count > 40 ? ", …" : "")
    }
}

extension ExplainedPrediction {
    /// For the slider.
    var confidenceAttribute: HTML {
        confidence.map { " data-confidence=\"\($0.plainDigits)\"" } ?? .none
    }
}

extension FusionExplanation {
    /// What became of a prediction, for people.
    func fate(of prediction: ExplainedPrediction) -> String {
        switch prediction.fate {
        case .fused(let place):
            let box = boxes.indices.contains(place) ? boxes[place] : nil
            let others = (box?.contributingServices ?? []).filter { $0 != prediction.service }
            return "kept, in \(box?.clusterID ?? "a fused box")"
                + (others.isEmpty ? ", though no other detector saw it" : ", with \(others.joined(separator: ", "))")
        case .duplicate(let other, let iou):
            return "dropped: the same detector has a surer box here (\(confidence(at: other)), IoU \(iou.twoDigits))"
        case .alone(let needed):
            let nearest = prediction.nearest.map {
                "; nearest: \(predictions[$0.prediction].label ?? "?") of \(predictions[$0.prediction].service), "
                    + "IoU \($0.iou.twoDigits)"
            }
            return "dropped: no other detector saw it, and alone it needs a confidence of \(needed.twoDigits)"
                + (nearest ?? "")
        case .unsure(let needed): return "dropped: it needs a confidence of \(needed.twoDigits)"
        case .invalid(let reason): return "does not count: \(reason)"
        }
    }

    private func confidence(at place: Int) -> String {
        predictions.indices.contains(place) ? predictions[place].confidence?.twoDigits ?? "?" : "?"
    }
}
