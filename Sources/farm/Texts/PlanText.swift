import Foundation
import Model
import Operations

extension FarmPlan {
    /// The plan as a person reads it.
    var text: String {
        guard !forecast.isNothing else { return "nothing waits" }
        var parts = [table, total]
        if !gains.isEmpty { parts.append(gains.joined(separator: "\n")) }
        if let deadline { parts.append(text(deadline)) }
        if !servers.isEmpty { parts.append(servers.joined(separator: "\n")) }
        parts.append((["not known:"] + unknown.map { "  \($0)" }).joined(separator: "\n"))
        return parts.joined(separator: "\n\n")
    }

    private var table: String {
        var table = Table([
            ("service", .left), ("workers", .right), ("boxes", .right), ("waiting", .right), ("to do", .right),
            ("per second", .right), ("time", .right), ("", .left),
        ])
        // What has nothing to do and nobody to do it is no part of it.
        for stage in forecast.stages where stage.calls > 0 || stage.figures.workers > 0 {
            let bound = stage.figures.pace?.isAtLeast == true ? "≥ " : ""
            table.add([
                stage.figures.service, "\(stage.figures.workers)", "\(stage.figures.boxes)", "\(stage.figures.waiting)",
                FarmPlan.count(stage.calls), stage.perSecond.map { bound + FarmPlan.rate($0) } ?? "?", time(stage),
                remark(stage),
            ])
        }
        return table.text
    }

    private func time(_ stage: Forecast.Stage) -> String {
        guard stage.calls > 0 else { return "-" }
        guard let seconds = stage.seconds else { return stage.isBlocked ? "never" : "?" }
        guard stage.figures.pace?.isAtLeast != true else { return "< \(ShortDuration.text(seconds.high))" }
        return ShortDuration.text(seconds.low...seconds.high)
    }

    private func remark(_ stage: Forecast.Stage) -> String {
        if stage.isBlocked { return stage.figures.halt ?? "no worker" }
        if stage.isUnknown { return "too little was measured" }
        guard stage.figures.service == forecast.bottleneck?.figures.service else { return "" }
        if let limit = stage.figures.limit, stage.perSecond == limit {
            return "← holds it up: limited to \(RateText(perSecond: limit).text)"
        }
        return "← holds it up"
    }

    private var total: String {
        let subject =
            switch forecast.work {
            case .waiting: "what waits"
            case .images(let count): counted(count, "image")
            }
        guard forecast.blocked.isEmpty else {
            let names = forecast.blocked.map { "\($0.figures.service) (\($0.figures.halt ?? "no worker"))" }
            return "\(subject): never, as it is now: \(names.joined(separator: ", "))"
        }
        guard let seconds = forecast.seconds else { return "\(subject): too little was measured to tell" }
        let least = forecast.unknown.isEmpty ? "" : "at least "
        var text = "\(subject): \(least)\(ShortDuration.text(seconds.low...seconds.high)), most likely "
        text +=
            "\(ShortDuration.text(seconds.mean)), done about \(FarmPlan.moment(now.addingTimeInterval(seconds.mean)))"
        let rivals = forecast.rivals.map(\.figures.service)
        if !rivals.isEmpty { text += "\nas slow, as far as can be told: \(rivals.joined(separator: ", "))" }
        return text
    }

    private var gains: [String] {
        let boxes = Dictionary(advice.ofBoxes.map { ($0.service, $0) }) { first, _ in first }
        return advice.ofWorkers.compactMap { gain in
            let box = boxes[gain.service]
            guard gain.sooner ?? 0 > 0 || box?.sooner ?? 0 > 0 || (forecast.seconds == nil && gain.seconds != nil)
            else {
                return nil
            }
            var text = "one more worker of \(gain.service): \(effect(gain))"
            if let box, box.workers > 1 { text += "; one more box with \(box.workers): \(effect(box))" }
            return text
        }
    }

    private func effect(_ gain: Advice.Gain) -> String {
        guard let seconds = gain.seconds else { return "not known" }
        guard let sooner = gain.sooner else { return ShortDuration.text(seconds.low...seconds.high) }
        return sooner > 0 ? "\(ShortDuration.text(sooner)) sooner" : "no sooner"
    }

    private func text(_ deadline: Deadline) -> String {
        let end = "by \(FarmPlan.moment(deadline.time)) (in \(ShortDuration.text(max(0, deadline.seconds))))"
        let saturated = deadline.saturated.map {
            "\n  the \($0.server) would have to do \(String(format: "%.1f", $0.share ?? 0)) times what it can"
        }.joined()
        guard let needs = deadline.needs else { return "\(end): not possible, even one image takes longer" + saturated }
        guard !needs.isEmpty else {
            return "\(end): " + (deadline.isMet == nil ? "likely, as far as is known" : "yes, with what is there")
                + saturated
        }
        let lines = needs.map { "  \($0.service): \(FarmPlan.text($0))" }
        let verdict = deadline.isMet == true ? "yes most likely; to be sure, add" : "add"
        return (["\(end): \(verdict)"] + lines).joined(separator: "\n") + saturated
    }

    private static func text(_ need: Advice.Need) -> String {
        var parts: [String] = []
        if let workers = need.workers, let safe = need.safeWorkers {
            if safe > 0 {
                parts.append(workers == safe ? counted(safe, "worker") : "\(workers) to \(counted(safe, "worker"))")
            }
            if let boxes = need.boxes, boxes > 0 {
                parts.append("or \(boxes) more \(boxes == 1 ? "box" : "boxes") like those it has")
            }
        } else {
            parts.append("nobody can tell how many workers")
        }
        if let limit = need.limit { parts.append("raise its limit to \(FarmPlan.limit(limit))") }
        return parts.isEmpty ? "resume it" : parts.joined(separator: ", ")
    }

    private var servers: [String] {
        advice.loads().map { load in
            let share =
                load.share.map { ", this plan needs \(String(format: $0 < 0.1 ? "%.1f" : "%.0f", $0 * 100)) %" } ?? ""
            return "the \(load.server) is full at \(FarmPlan.rate(load.imagesPerSecond)) images/s "
                + "(\(FarmPlan.rate(load.perImage)) of \(FarmPlan.rate(load.ceiling)) a second for each)\(share): \(load.origin)"
        }
    }

    // MARK: Numbers

    private static func rate(_ value: Double) -> String {
        value >= 100 ? String(format: "%.0f", value) : String(format: value < 1 ? "%.2g" : "%.1f", value)
    }

    /// As farm limit takes it, rounded up.
    private static func limit(_ perSecond: Double) -> String {
        perSecond >= 1
            ? String(format: "%.0f/s", perSecond.rounded(.up))
            : String(format: "%.0f/min", (perSecond * 60).rounded(.up))
    }

    private static func count(_ value: Double) -> String { String(format: "%.0f", value) }

    /// `2026-12-01 18:00 UTC`.
    private static func moment(_ date: Date) -> String { String(Timestamp.sqlite(date).prefix(16)) + " UTC" }
}
