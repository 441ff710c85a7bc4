import Foundation
import Model

/// A plan: how long work takes, what holds it up, and what would help.
package struct FarmPlan: Sendable {
    /// An end that was asked for.
    package struct Deadline: Sendable {
        /// When it is to be done.
        package var time: Date
        /// How many seconds are left.
        package var seconds: Double
        /// What has to be added. nil: no number of workers suffices.
        package var needs: [Advice.Need]?
        /// The servers that would have to do more than they can.
        package var saturated: [Advice.Load]

        /// Whether it will most likely be done in time with what is there; nil: that is not known.
        package var isMet: Bool?
    }

    /// The forecast.
    package let forecast: Forecast
    /// What would help.
    package let advice: Advice
    /// The end that was asked for.
    package let deadline: Deadline?
    /// When it was made.
    package let now: Date

    /// - Parameter end: when it is to be done.
    package init(_ figures: PlanFigures, _ work: PlannedWork, by end: Date? = nil, now: Date) {
        forecast = Forecast(figures, work)
        advice = Advice(forecast)
        self.now = now
        deadline = end.map { [advice, forecast] end in
            let seconds = end.timeIntervalSince(now)
            return Deadline(
                time: end, seconds: seconds, needs: advice.needs(within: seconds),
                saturated: seconds > 0 ? advice.loads(within: seconds).filter { $0.share ?? 0 > 1 } : [],
                isMet: forecast.unknown.isEmpty || !forecast.blocked.isEmpty
                    ? forecast.seconds.map { $0.mean <= seconds } ?? false : nil)
        }
    }

    /// Whether there is work, and nothing at all can be said of it.
    package var isUnknown: Bool {
        !forecast.isNothing && forecast.blocked.isEmpty && forecast.seconds == nil
    }

    /// What this plan does not know, one line each.
    package var unknown: [String] {
        let unmeasured = forecast.stages.filter { $0.calls > 0 && $0.figures.pace == nil }.map {
            "\($0.figures.service): too little was measured to tell how fast it is"
        }
        let bounded = forecast.stages.filter { $0.calls > 0 && $0.figures.pace?.isAtLeast == true }.map {
            "\($0.figures.service): it was never busy all the time, so it may be faster than is known"
        }
        return unmeasured + bounded + forecast.figures.remarks + FarmPlan.limits
    }

    /// What no plan knows.
    private static let limits = [
        "whether a service answers more calls at once than it gets now: a further worker on the same machine may gain less",
        "whether services share a processor or a graphics card, and how large the pictures to come are",
    ]
}

// MARK: JSON

extension FarmPlan {
    /// The output of `farm plan --json`.
    package var json: JSON {
        let bottleneck = forecast.bottleneck.map { stage -> JSON in
            .object([
                "service": .string(stage.figures.service),
                "or": .array(forecast.rivals.map { .string($0.figures.service) }),
            ])
        }
        return .object([
            "work": forecast.work == .waiting ? "waiting" : "images", "images": .rounded(forecast.images),
            "seconds": .span(forecast.seconds), "bottleneck": bottleneck ?? .null,
            "blocked": .array(forecast.blocked.map { .string($0.figures.service) }),
            "services": .array(forecast.stages.map(\.json)),
            "one_more_worker": .array(advice.ofWorkers.map(\.json)),
            "one_more_box": .array(advice.ofBoxes.map(\.json)),
            "by": deadline.map(json) ?? .null,
            "servers": .array(advice.loads().map(\.json)),
            "unknown": .array(unknown.map(JSON.string)), "figures": forecast.figures.json,
        ])
    }

    private func json(_ deadline: Deadline) -> JSON {
        .object([
            "time": .string(Timestamp.iso8601(deadline.time)), "seconds": .rounded(deadline.seconds),
            "met": deadline.isMet.map(JSON.bool) ?? .null,
            "add": deadline.needs.map { .array($0.map(\.json)) } ?? .null,
            "saturated": .array(deadline.saturated.map(\.json)),
        ])
    }
}

extension JSON {
    fileprivate static func span(_ span: Span?) -> JSON {
        guard let span else { return .null }
        return .object(["low": .rounded(span.low), "mean": .rounded(span.mean), "high": .rounded(span.high)])
    }
}

extension Forecast.Stage {
    fileprivate var json: JSON {
        .object([
            "service": .string(figures.service), "workers": .int(Int64(figures.workers)),
            "boxes": .int(Int64(figures.boxes)), "waiting": .int(Int64(figures.waiting)), "calls": .rounded(calls),
            "per_second": perSecond.map(JSON.rounded) ?? .null, "limit": figures.limit.map(JSON.double) ?? .null,
            "seconds": .span(seconds), "halt": .optional(isBlocked ? figures.halt ?? "no worker" : nil),
            "at_least": .bool(figures.pace?.isAtLeast ?? false),
            "from": .optional(figures.pace == nil ? nil : figures.origin),
        ])
    }
}

extension Advice.Gain {
    fileprivate var json: JSON {
        .object([
            "service": .string(service), "workers": .int(Int64(workers)), "seconds": .span(seconds),
            "sooner": sooner.map(JSON.rounded) ?? .null,
        ])
    }
}

extension Advice.Need {
    fileprivate var json: JSON {
        .object([
            "service": .string(service), "workers": .number(workers), "safe_workers": .number(safeWorkers),
            "boxes": .number(boxes), "limit": limit.map(JSON.rounded) ?? .null,
        ])
    }
}

extension Advice.Load {
    fileprivate var json: JSON {
        .object([
            "server": .string(server), "per_image": .rounded(perImage), "per_second": .rounded(ceiling),
            "images_per_second": .rounded(imagesPerSecond), "share": share.map(JSON.rounded) ?? .null,
            "from": .string(origin),
        ])
    }
}
