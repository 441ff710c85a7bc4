import Foundation
import Model
import Operations
import Testing

@Suite("A file of figures for a plan")
struct PlanFileTests {
    private static func json(_ service: String, rest: String = "") -> String {
        #"{"services": [{"service": "clip", "workers": 2, "seconds": 0.5}, \#(service)]\#(rest)}"#
    }

    @Test("has the fields of docs/planning.md, and its defaults")
    func fields() throws {
        let figures = try PlanFigures(
            json: JSON(
                parsing: """
                    {"services": [
                        {"service": "blip", "workers": 3, "boxes": 2, "concurrency": 2, "waiting": 40, "limit": 7.5,
                         "jobs_per_image": 2, "derived_per_image": {"mean": 4, "deviation": 1, "count": 100},
                         "seconds": {"mean": 0.5, "deviation": 0.25, "count": 900}},
                        {"service": "clip", "workers": 1, "per_second": 8, "at_least": true},
                        {"service": "ocr", "workers": 0, "seconds": null},
                        {"service": "consensus", "workers": 1, "seconds": 0.01}],
                     "broker": {"per_second": 900, "per_image": 20, "from": "x"}, "database": {"per_second": 5}}
                    """))
        let (blip, clip, consensus) = (figures.stages[0], figures.stages[1], figures.stages[3])
        #expect(blip.pace == Pace(perSecond: 4, dispersion: 0.25, count: 900))
        #expect(
            blip.workers == 3 && blip.boxes == 2 && blip.waiting == 40 && blip.limit == 7.5 && blip.jobsPerImage == 2)
        #expect(blip.derivedPerImage == Measure(4, deviation: 1, count: 100))
        #expect(clip.pace == Pace(perSecond: 8, isAtLeast: true) && clip.jobsPerImage == 1 && clip.boxes == 1)
        #expect(figures.stages[2].pace == nil)
        #expect(
            consensus.jobsPerImage == 0 && consensus.derivedPerImage == Measure(1) && consensus.pace?.perSecond == 100)
        #expect(figures.broker == .init(perSecond: 900, perImage: 20, origin: "x") && figures.database?.perSecond == 5)
    }

    @Test("that was written from figures gives the same plan")
    func roundTrip() throws {
        let text = Self.json(
            #"{"service": "ocr", "workers": 1, "waiting": 9, "per_second": {"mean": 3, "deviation": 0.5, "count": 12}}"#
        )
        let figures = try PlanFigures(json: JSON(parsing: text))
        let again = try PlanFigures(json: figures.json)
        for work in [PlannedWork.waiting, .images(1000)] {
            let (first, second) = (Forecast(figures, work), Forecast(again, work))
            for (one, other) in zip(first.stages, second.stages) {
                #expect(abs((one.seconds?.high ?? 0) - (other.seconds?.high ?? 0)) < 1e-6)
                #expect(abs((one.seconds?.mean ?? 0) - (other.seconds?.mean ?? 0)) < 1e-6)
            }
        }
    }

    @Test(
        "with a hole, a negative or an absurd figure is refused, and the field is named",
        arguments: [
            ("{}", "services:"), (#"{"services": []}"#, "services:"), (#"{"services": {}}"#, "services:"),
            ("[]", "the file: must be an object"), (#"{"services": [7]}"#, "services[0]: must be an object"),
            (#"{"services": [{"workers": 1}]}"#, "services[0].service:"),
            (#"{"services": [{"service": "", "workers": 1}]}"#, "services[0].service:"),
            (#"{"services": [{"service": "blip"}]}"#, "services[0].workers: is missing"),
            (#"{"services": [{"service": "blip", "workers": "two"}]}"#, "services[0].workers: must be a whole number"),
            (#"{"servics": []}"#, "servics: is not known"),
            (json(#"{"service": "blip", "workers": -1}"#), "services[1].workers: must be 0 to 100000, is -1"),
            (json(#"{"service": "blip", "workers": 1.5}"#), "services[1].workers:"),
            (json(#"{"service": "clip", "workers": 1}"#), "services[1].service: clip is there twice"),
            (json(#"{"service": "blip", "workers": 1, "workers": 2}"#), "services[1].workers: is there twice"),
            (json(#"{"service": "blip", "workers": 1, "boxes": 2}"#), "services[1].boxes: must be 0 to 1"),
            (json(#"{"service": "blip", "workers": 1, "concurrency": 0}"#), "services[1].concurrency:"),
            (json(#"{"service": "blip", "workers": 1, "waiting": -5}"#), "services[1].waiting:"),
            (
                json(#"{"service": "blip", "workers": 1, "seconds": 0}"#),
                "services[1].seconds: must be 1e-06 to 86400, is 0"
            ),
            (json(#"{"service": "blip", "workers": 1, "seconds": 1e9}"#), "services[1].seconds:"),
            (json(#"{"service": "blip", "workers": 1, "seconds": {}}"#), "services[1].seconds.mean: is missing"),
            (
                json(#"{"service": "blip", "workers": 1, "seconds": {"mean": 1, "deviation": -1}}"#),
                "seconds.deviation:"
            ),
            (json(#"{"service": "blip", "workers": 1, "seconds": {"mean": 1, "count": -1}}"#), "seconds.count:"),
            (json(#"{"service": "blip", "workers": 1, "seconds": {"mean": 1, "n": 5}}"#), "seconds.n: is not known"),
            (json(#"{"service": "blip", "workers": 1, "seconds": 1, "per_second": 1}"#), "services[1].per_second:"),
            (
                json(#"{"service": "blip", "workers": 1, "per_second": true}"#),
                "services[1].per_second: must be a number"
            ),
            (json(#"{"service": "blip", "workers": 1, "limit": 0}"#), "services[1].limit:"),
            (json(#"{"service": "blip", "workers": 1, "jobs_per_image": -1}"#), "services[1].jobs_per_image:"),
            (json(#"{"service": "blip", "workers": 1, "at_least": 1}"#), "services[1].at_least:"),
            (json(#"{"service": "blip", "workers": 1}"#, rest: #", "broker": {}"#), "broker.per_second: is missing"),
            (
                json(#"{"service": "blip", "workers": 1}"#, rest: #", "database": {"per_second": -1}"#),
                "database.per_second:"
            ),
            (json(#"{"service": "blip", "workers": 1}"#, rest: #", "broker": 5"#), "broker: must be an object"),
        ])
    func refused(_ text: String, _ message: String) throws {
        let json = try JSON(parsing: text)
        let fault = #expect(throws: OperationFault.self) { try PlanFigures(json: json) }
        #expect(fault?.message.contains(message) == true, "\(fault?.message ?? "")")
        #expect(fault?.kind == .unusable)
    }
}
