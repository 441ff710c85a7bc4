import Foundation
import Hummingbird
import Operations

extension Site {
    func addQuality(to router: Router<Context>) {
        let quality = quality
        router.answer(
            "/quality",
            [
                .get: { request, context in
                    _ = try request.query([])
                    let latest = try await quality.latest()
                    return Response(
                        Page(
                            title: "Quality", section: .quality, access: context.access,
                            content: QualityPage(report: latest.value, made: latest.made).html))
                }
            ])
    }
}

/// How well the services agree and work.
struct QualityPage {
    /// Rows of a table: those with the most objects.
    private static let rowLimit = 60
    /// Rows of the tables, in bytes.
    private static let (serviceBytes, pairBytes, sightBytes, evidenceBytes) = (26_000, 16_000, 14_000, 12_000)

    let report: QualityReport
    let made: Date

    var html: HTML {
        guard report.images > 0 else { return "<h1>Quality</h1><p>No service has answered yet.</p>" }
        return """
            <h1>Quality</h1>
            <p>A sample: the \(HTML.count(report.images)) images that were answered last, of which several detectors have
            answered about \(HTML.count(report.comparedImages)). <span class="quiet">Made \(HTML.time(made)).</span></p>
            \(services)\(pairs)\(sights)\(evidence)
            """
    }

    private var services: HTML {
        let rows = HTML.first(
            report.services.map { service -> HTML in
                func seconds(_ value: Double?) -> String { value.map { String(format: "%.2f s", $0) } ?? "–" }
                let changed = service.repeated == 0 ? "–" : share(service.changed, of: service.repeated)
                return """
                    <tr><th scope="row">\(service.service)</th>\(HTML.cell("Good", HTML.count(service.successes), isNumber: true))
                    \(HTML.cell("Failed", HTML.count(service.failures), isNumber: true))
                    \(HTML.cell("p50 / p95", "\(seconds(service.p50)) / \(seconds(service.p95))", isNumber: true))
                    \(HTML.cell("Changed when asked again", "\(changed)", isNumber: true))
                    \(HTML.cell("Confidences, 0 to 1", histogram(service)))</tr>
                    """
            }, upTo: QualityPage.serviceBytes)
        return """
            <h2>Services</h2>
            <table class="cards"><thead><tr><th scope="col">Service</th><th scope="col" class="number">Good</th>
            <th scope="col" class="number">Failed</th><th scope="col" class="number">p50 / p95</th>
            <th scope="col" class="number">Changed when asked again</th><th scope="col">Confidences, 0 to 1</th></tr></thead>
            <tbody>\(rows.pieces)</tbody></table>\(rows.rest)
            """
    }

    private func histogram(_ service: QualityReport.Service) -> HTML {
        let counts = service.confidences
        guard let most = counts.max(), most > 0 else { return .none }
        let bars = counts.enumerated().filter { $0.element > 0 }.map { bin, count -> HTML in
            let height = max(1, count * 24 / most)
            let range = String(
                format: "%.2f–%.2f", Double(bin) / Double(counts.count), Double(bin + 1) / Double(counts.count))
            return """
                <rect x="\(bin * 180 / counts.count)" y="\(24 - height)" width="\(max(1, 180 / counts.count - 2))" \
                height="\(height)"><title>\(range): \(count)</title></rect>
                """
        }
        return """
            <svg class="spark" viewBox="0 0 180 24" preserveAspectRatio="none" role="img" \
            aria-label="\(counts.reduce(0, +)) confidences">\(bars)</svg>
            """
    }

    private var pairs: HTML {
        let rows = HTML.first(
            report.pairs.prefix(QualityPage.rowLimit).map { pair -> HTML in
                """
                <tr><th scope="row">\(label(pair.label))</th>\(HTML.cell("Detectors", "\(pair.first), \(pair.second)"))
                \(HTML.cell("Agree", "\(share(pair.both, of: pair.both + pair.onlyFirst + pair.onlySecond))", isNumber: true))
                \(HTML.cell("Both", HTML.count(pair.both), isNumber: true))
                \(HTML.cell("Only the first", HTML.count(pair.onlyFirst), isNumber: true))
                \(HTML.cell("Only the second", HTML.count(pair.onlySecond), isNumber: true))</tr>
                """
            }, upTo: QualityPage.pairBytes)
        guard !rows.pieces.isEmpty else { return .none }
        return """
            <h2>How often two detectors agree</h2>
            <p><a href="images?disagree=1">Images where detectors disagree</a></p>
            <table class="cards"><thead><tr><th scope="col">Label</th><th scope="col">Detectors</th>
            <th scope="col" class="number">Agree</th><th scope="col" class="number">Both</th>
            <th scope="col" class="number">Only the first</th><th scope="col" class="number">Only the second</th></tr></thead>
            <tbody>\(rows.pieces)</tbody></table>\(rows.rest)
            """
    }

    private var sights: HTML {
        let rows = HTML.first(
            report.sights.prefix(QualityPage.rowLimit).map { sight -> HTML in
                """
                <tr><th scope="row">\(label(sight.label))</th>\(HTML.cell("Detector", "\(sight.detector)"))
                \(HTML.cell("Saw", HTML.count(sight.seen), isNumber: true))
                \(HTML.cell("Seen by it alone", HTML.count(sight.alone), isNumber: true))
                \(HTML.cell("Missed", HTML.count(sight.missed), isNumber: true))</tr>
                """
            }, upTo: QualityPage.sightBytes)
        guard !rows.pieces.isEmpty else { return .none }
        return """
            <h2>Who misses what</h2>
            <table class="cards"><thead><tr><th scope="col">Label</th><th scope="col">Detector</th>
            <th scope="col" class="number">Saw</th><th scope="col" class="number">Seen by it alone</th>
            <th scope="col" class="number">Missed</th></tr></thead><tbody>\(rows.pieces)</tbody></table>\(rows.rest)
            """
    }

    private var evidence: HTML {
        let rows = HTML.first(
            report.evidence.prefix(QualityPage.rowLimit).map { entry -> HTML in
                """
                <tr><th scope="row" class="emoji"><a href="images?emoji=\(attribute: entry.emoji.queryEncoded)">\(entry.emoji)</a></th>
                \(HTML.cell("Votes and a box", HTML.count(entry.both), isNumber: true))
                \(HTML.cell("Votes only", HTML.count(entry.votesOnly), isNumber: true))
                \(HTML.cell("A box only", HTML.count(entry.boxesOnly), isNumber: true))</tr>
                """
            }, upTo: QualityPage.evidenceBytes)
        guard !rows.pieces.isEmpty else { return .none }
        return """
            <h2>Votes against boxes</h2>
            <table class="cards"><thead><tr><th scope="col">Emoji</th><th scope="col" class="number">Votes and a box</th>
            <th scope="col" class="number">Votes only</th><th scope="col" class="number">A box only</th></tr></thead>
            <tbody>\(rows.pieces)</tbody></table>\(rows.rest)
            """
    }

    private func label(_ label: String) -> HTML {
        "<a href=\"images?label=\(attribute: label.queryEncoded)\">\(label.printable(upTo: 60))</a>"
    }

    private func share(_ part: Int, of all: Int) -> String {
        all == 0 ? "–" : String(format: "%.0f %%", Double(part) / Double(all) * 100)
    }
}
