import Operations
import Pipeline

/// Says, above all numbers, which services have jobs that wait and do not move, and why.
struct Stillness {
    /// A service of which nothing moves.
    private struct Still {
        var service: String
        var waiting: Int
        var why: String
    }

    private let still: [Still]
    /// Whether something moves all the same.
    private let isSomethingMoving: Bool

    init(_ status: FarmStatus) {
        let waited = ((try? status.queues.get())?.lines ?? []).filter { $0.depth.waiting > 0 }
        still = waited.compactMap { line in
            line.state(refusal: status.refusal).why.map {
                Still(service: line.service, waiting: line.depth.waiting, why: $0)
            }
        }
        isSomethingMoving = waited.count > still.count
    }

    var html: HTML {
        guard !still.isEmpty else { return .none }
        let items = still.map { still -> HTML in
            """
            <li><a href="services/\(attribute: still.service.queryEncoded)">\(still.service)</a>: \
            <span class="bad">\(still.why)</span> <span class="quiet">(\(HTML.count(still.waiting)) waiting)</span></li>
            """
        }
        return """
            <section class="still" aria-labelledby="still"><h2 id="still">\
            \(isSomethingMoving ? "What does not move" : "Nothing moves")</h2><ul>\(items)</ul></section>
            """
    }
}
