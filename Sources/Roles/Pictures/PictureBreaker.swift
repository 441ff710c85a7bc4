import Foundation
import Model
import Pictures
import Pipeline

/// Decides which hosts and folders of pictures are away. It is a pure value that is told what happens and when.
///
/// A source is away as soon as it provides nothing at all, or when five of its pictures in a row are not available.
/// Then none of its pictures is requested until it is due; a host is first asked for its front page. After that one
/// picture is tried, and the result shows whether the source is back.
struct PictureBreaker {
    /// What a caller that wants a picture has to do.
    enum Step: Equatable {
        case take
        /// Ask the host whether it answers, and report that.
        case probe
        case leave(String)
    }

    /// What follows from a failure.
    struct Effect: Equatable {
        /// Whether the source is away, so that the picture waits until it is back.
        var isAway: Bool
        /// Whether it counts as a try of the picture.
        var counts: Bool
        /// Whether the source was available before.
        var opens = false
    }

    /// When pictures of a source may be requested.
    enum Due: Equatable {
        case all
        /// One picture, to see whether the source is back. Each chance has its own number.
        case one(Int)
        case later(Date)
    }

    private enum Phase: Equatable {
        case waiting
        case probing(String)
        case trial(String?)
    }

    private struct Outage {
        var reason: String
        var until: Date
        var wait: Double
        var failures = 0
        /// Whether the host has asked for the pause.
        var isPause = false
        var phase = Phase.waiting
        /// When somebody began to probe it, or to try a picture.
        var begun = Date.distantPast

        /// If the wall clock is set back, the wait must not become longer. The result is kept, or it would begin anew
        /// at each look.
        mutating func limitWait(at now: Date) { until = min(until, now.addingTimeInterval(wait)) }

        /// Nobody probes or tries for this long, so whoever began has gone.
        func isAbandoned(at now: Date) -> Bool { abs(now.timeIntervalSince(begun)) > PictureBreaker.longestTrial }
    }

    private struct Source {
        /// Pictures that failed since the last one that was available.
        var row: Set<String> = []
        var outage: Outage?
    }

    private static let rowLimit = 5
    /// A source that fails this often, over a few seconds, is really away.
    private static let confirmations = 3
    private static let longestTrial = 120.0
    private static let longestWait = 15.0
    private static let longestPause = 86_400.0
    /// How many sources are remembered that failed once and have not been asked since.
    private static let memory = 10_000

    private var sources: [String: Source] = [:]

    /// Why sources are away, if they have been away for longer than a moment.
    var outages: [String: String] {
        sources.compactMapValues { source in
            guard let outage = source.outage, outage.isPause || outage.failures >= PictureBreaker.confirmations else {
                return nil
            }
            return outage.reason
        }
    }

    /// The folders that are away, or have failed.
    func sources(of path: String) -> [String] {
        sources.isEmpty ? [] : sources.keys.filter { path.utf8.starts(with: ($0 == "/" ? $0 : $0 + "/").utf8) }
    }

    // MARK: Pictures

    /// - Parameter hasFrontPage: whether the source is a host, which can be asked.
    mutating func step(_ source: String, for picture: String, hasFrontPage: Bool, at now: Date) -> Step {
        guard var outage = sources[source]?.outage else { return .take }
        switch outage.phase {
        case .waiting:
            outage.limitWait(at: now)
            sources[source]?.outage = outage
            guard outage.until <= now else { return .leave(outage.reason) }
            outage.phase = hasFrontPage ? .probing(picture) : .trial(picture)
            outage.begun = now
            sources[source]?.outage = outage
            return hasFrontPage ? .probe : .take
        case .probing where !outage.isAbandoned(at: now): return .leave(outage.reason)
        case .trial(let other?) where other != picture && !outage.isAbandoned(at: now): return .leave(outage.reason)
        case .probing, .trial:
            (outage.phase, outage.begun) = (.trial(picture), now)
            sources[source]?.outage = outage
            return .take
        }
    }

    /// - Parameter jitter: between 0.5 and 1, the part of a wait that is taken.
    mutating func probed(_ source: String, isUp: Bool, at now: Date, jitter: Double) {
        guard var outage = sources[source]?.outage, case .probing = outage.phase else { return }
        outage.phase = .trial(nil)
        if !isUp { rest(&outage, at: now, jitter) }
        sources[source]?.outage = outage
    }

    /// The picture was available, or is itself at fault.
    /// - Returns: whether the source was away.
    mutating func answered(_ source: String) -> Bool { sources.removeValue(forKey: source)?.outage != nil }

    /// The picture was not available.
    mutating func failed(
        _ absence: PictureAbsence, _ picture: String, _ reason: String, at now: Date, jitter: Double
    ) -> Effect {
        let pause = absence.retryAfter.map { min($0.seconds, PictureBreaker.longestPause) } ?? 0
        let isPause = pause > PictureLoader.longestWait.seconds
        var source = sources[absence.source] ?? Source()
        defer {
            sources[absence.source] = source
            tidy()
        }
        if var outage = source.outage {
            let isTrial = outage.phase == .trial(picture)
            if isTrial || isPause || outage.phase == .trial(nil) {
                outage.reason = reason
                rest(&outage, at: now, jitter, atLeast: isPause ? pause : 0)
                source.outage = outage
            }
            // The host answers, and this picture is not available. So a picture that never is comes to an end, too.
            return Effect(isAway: true, counts: isTrial && !absence.isOfSource && !isPause)
        }
        source.row.insert(picture)
        guard absence.isOfSource || isPause || source.row.count >= PictureBreaker.rowLimit else {
            return Effect(isAway: false, counts: true)
        }
        var outage = Outage(reason: reason, until: now, wait: 0)
        rest(&outage, at: now, jitter, atLeast: isPause ? pause : 0)
        source.outage = outage
        return Effect(isAway: true, counts: false, opens: true)
    }

    /// Whoever wanted the picture is done with it. If it was the trial and decided nothing, another one may be the
    /// trial.
    mutating func release(_ source: String, _ picture: String) {
        switch sources[source]?.outage?.phase {
        case .trial(picture): sources[source]?.outage?.phase = .trial(nil)
        case .probing(picture): sources[source]?.outage?.phase = .waiting
        default: break
        }
    }

    // MARK: Waiting

    /// When its pictures may be requested.
    mutating func due(_ source: String, at now: Date) -> Due {
        guard var outage = sources[source]?.outage else { return .all }
        outage.limitWait(at: now)
        sources[source]?.outage = outage
        switch outage.phase {
        case .waiting where outage.until > now:
            return .later(outage.until)
        case .waiting, .trial(nil): return .one(outage.failures)
        case .probing, .trial:
            return outage.isAbandoned(at: now) ? .one(outage.failures) : .later(now.addingTimeInterval(1))
        }
    }

    /// 1, 2, 4, 8, 15, 15 … seconds. If very many sources are away, about one is asked each second.
    private func rest(_ outage: inout Outage, at now: Date, _ jitter: Double, atLeast pause: Double = 0) {
        let longest = max(PictureBreaker.longestWait, Double(sources.count))
        outage.isPause = pause > 0
        outage.wait = max(pause, min(Double(1 << min(outage.failures, 20)), longest) * jitter)
        outage.until = now.addingTimeInterval(outage.wait)
        outage.failures += 1
        outage.phase = .waiting
    }

    private mutating func tidy() {
        guard sources.count > PictureBreaker.memory else { return }
        sources = sources.filter { $0.value.outage != nil }
    }
}
