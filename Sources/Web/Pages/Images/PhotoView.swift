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

    let detail: ImageDetail
    let size: ImagePageContent.Size
    /// Whether the detectors' boxes are shown to begin with, beside the fused ones.
    var showsDetectors = false

    var html: HTML {
        let detectors = detail.explanation.detectors.prefix(PhotoView.layers)
        let switches = detectors.enumerated().map { index, service -> HTML in
            layerSwitch("layer-\(index)", service, key: index < 9 ? "\(index + 1)" : nil, isOn: showsDetectors)
        }
        let layers = detectors.enumerated().map { index, service -> HTML in
            "<g class=\"layer layer-\(index)\">\(predictions(of: service))</g>"
        }
        return """
            <div class="viewer">
            \(layerSwitch("layer-fused", "fused boxes", key: "0", isOn: true))\(switches)
            <div class="slider" hidden><label>Dim boxes with a confidence below <span id="threshold">0</span>
            <input type="range" id="confidence" min="0" max="1" step="0.01" value="0"></label>
            <p class="quiet">Keys: 1–9 detectors, 0 fused boxes, space all boxes, ← and → the images beside this one.</p></div>
            <figure><svg viewBox="0 0 \(size.width) \(size.height)" role="img" aria-label="The photo with its boxes">
            <image href="\(detail.report.image.id)/photo" width="\(size.width)" height="\(size.height)" \
            preserveAspectRatio="none"/>\(layers)<g class="layer layer-fused">\(fused)</g></svg></figure>
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

    private func predictions(of service: String) -> [HTML] {
        detail.explanation.predictions.enumerated().filter { $0.element.service == service }.prefix(PhotoView.drawn)
            .compactMap { index, prediction in
                guard let box = prediction.bbox else { return nil }
                let text =
                    "\(prediction.label ?? "?") \(prediction.confidence?.twoDigits ?? ""), \(service): "
                    + detail.explanation.fate(of: prediction)
                return rectangle(box, text, " data-prediction=\"\(index)\"\(prediction.confidenceAttribute)")
            }
    }

    private var fused: [HTML] {
        detail.report.findings.boxes.compactMap(\.box).prefix(PhotoView.drawn).map { box in
            let seen = box.detections.map { "\($0.service) \($0.confidence.twoDigits)" }.joined(separator: ", ")
            return rectangle(
                box.bbox, "\(box.clusterID), confidence \(box.averageConfidence.twoDigits): seen by \(seen)",
                " data-confidence=\"\(box.averageConfidence.plainDigits)\"")
        }
    }

    private func rectangle(_ box: Box, _ text: String, _ attributes: HTML) -> HTML {
        """
        <rect x="\(box.x.plainDigits)" y="\(box.y.plainDigits)" width="\(max(0, box.width).plainDigits)" \
        height="\(max(0, box.height).plainDigits)"\(attributes)><title>\(text)</title></rect>
        """
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
