import Testing

@testable import Telemetry

@Suite("Metrics")
struct RegistryTests {
    private let registry = Registry()

    private func family<Child: Instrument>(
        _ kind: MetricDefinition.Kind, _ labels: [String] = [], help: String = "What it is."
    ) -> Family<Child> { registry.add(MetricDefinition("farm_thing", kind, labels: labels, help: help)) }

    @Test("are written with help, type and one line for each series, in a fixed order")
    func counters() {
        let family: Family<Counter> = family(.counter, ["service", "outcome"])
        family.labelled("ocr", "success").add(2)
        family.labelled("blip", "success").add()
        family.labelled("ocr", "error").add(0.5)
        #expect(
            registry.text == """
                # HELP farm_thing What it is.
                # TYPE farm_thing counter
                farm_thing{service="blip",outcome="success"} 1
                farm_thing{service="ocr",outcome="error"} 0.5
                farm_thing{service="ocr",outcome="success"} 2

                """)
    }

    @Test("nothing is written of a metric that nobody has counted yet")
    func unused() {
        let _: Family<Counter> = family(.counter)
        #expect(registry.text.isEmpty)
    }

    @Test("a series is the same one whenever it is asked for")
    func identity() {
        let family: Family<Counter> = family(.counter, ["queue"])
        family.labelled("a").add()
        family.labelled("a").add()
        #expect(family.labelled("a").value == 2 && family.labelled("b").value == 0)
    }

    @Test("a counter never goes down, and takes no number that is none")
    func monotonic() {
        let counter = Counter(.counter)
        counter.add(3)
        counter.add(-1)
        counter.add(Double.nan)
        #expect(counter.value == 3)
    }

    @Test("many threads may count at once, and nothing is lost")
    func concurrency() async {
        let family: Family<Counter> = family(.counter, ["service"])
        let histogram = Histogram(.histogram([1, 2]))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = family.labelled("clip")
                    for _ in 0..<5_000 {
                        counter.add()
                        histogram.record(1.5)
                    }
                }
            }
        }
        #expect(family.labelled("clip").value == 40_000)
        #expect(histogram.snapshot == Histogram.Snapshot(counts: [0, 40_000, 0], sum: 60_000))
    }

    @Test("a bound belongs to its bucket, buckets add up, and the last one holds all")
    func histograms() {
        let family: Family<Histogram> = family(.histogram([0.5, 1]), ["service"])
        for value in [0.1, 0.5, 0.6, 7, -3, .infinity, .nan] { family.labelled("clip").record(value) }
        #expect(
            registry.text == """
                # HELP farm_thing What it is.
                # TYPE farm_thing histogram
                farm_thing_bucket{service="clip",le="0.5"} 3
                farm_thing_bucket{service="clip",le="1"} 4
                farm_thing_bucket{service="clip",le="+Inf"} 5
                farm_thing_sum{service="clip"} 8.2
                farm_thing_count{service="clip"} 5

                """)
    }

    @Test("what stands in a label is the label's value and nothing else")
    func escaping() {
        let family: Family<Gauge> = family(.gauge, ["queue"], help: "A \"queue\",\na \\ and 日本.")
        // A quote and a mark that combines with it are one Character.
        for name in ["a\"b", "c\nd", "e\\f", "g\"\u{301}h", "i\r\nj", "🧑‍🚀"] { family.labelled(name).set(-1.5) }
        #expect(
            registry.text == """
                # HELP farm_thing A "queue",\\na \\\\ and 日本.
                # TYPE farm_thing gauge
                farm_thing{queue="a\\"b"} -1.5
                farm_thing{queue="c\\nd"} -1.5
                farm_thing{queue="e\\\\f"} -1.5
                farm_thing{queue="g\\"\u{301}h"} -1.5
                farm_thing{queue="i\r\\nj"} -1.5
                farm_thing{queue="🧑‍🚀"} -1.5

                """)
    }

    @Test("numbers are written as Prometheus reads them")
    func numbers() {
        let written = [0, 5, -2, 0.25, 1e300, 1_790_000_000.5, .infinity, -.infinity, .nan].map(ExpositionText.number)
        #expect(written == ["0", "5", "-2", "0.25", "1e+300", "1790000000.5", "+Inf", "-Inf", "NaN"])
    }

    @Test("an id that slips into a label does not grow the memory without end")
    func limit() {
        let family: Family<Counter> = family(.counter, ["queue"])
        for number in 0..<(Family<Counter>.limit + 10) { family.labelled("queue_\(number)").add() }
        #expect(family.series.count == Family<Counter>.limit + 1)
        #expect(family.labelled(Family<Counter>.rest).value == 10)
    }

    @Test("what was measured before and is not now has no value any more")
    func replacing() {
        let family: Family<Gauge> = family(.gauge, ["queue"])
        family.replaceAll([(["a"], 1), (["b"], 2)])
        let kept = family.labelled("b")
        family.replaceAll([(["b"], 3), (["c"], 4)])
        #expect(family.series.map(\.labels) == [["b"], ["c"]])
        #expect(kept.value == 3)
    }

    @Test("what something else knows is asked for when it is read")
    func reading() {
        let family: Family<Gauge> = family(.gauge)
        let reads = Counter(.counter)
        registry.beforeReading {
            reads.add()
            family.labelled().set(reads.value)
        }
        _ = registry.text
        #expect(registry.text.hasSuffix("farm_thing 2\n"))
    }
}
