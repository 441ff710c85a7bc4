import Foundation
import Model
import Operations

extension EntryPoint {
    /// A file of figures: it is refused, or the plan that it gives has no number that is none.
    static let plan = EntryPoint(name: "plan", inputs: 100_000) { input in
        guard let json = try? JSON(parsing: input), let figures = try? PlanFigures(json: json) else { return }
        for work in [PlannedWork.waiting, .images(1), .images(1_000_000_000)] {
            let plan = FarmPlan(
                figures, work, by: Date(timeIntervalSince1970: 100), now: .init(timeIntervalSince1970: 0))
            if let seconds = plan.forecast.seconds {
                try promise(
                    seconds.low >= 0 && seconds.low <= seconds.mean && seconds.mean <= seconds.high
                        && seconds.high.isFinite, "the range \(seconds)")
            }
            _ = plan.json.text
        }
    }
}
