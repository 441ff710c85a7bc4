/// What a plan is about.
package enum PlannedWork: Sendable, Equatable {
    /// What waits now, and what follows from it.
    case waiting
    /// So many images, from their first job to their last consensus.
    case images(Int)
}

/// How long work takes, from measured figures. Stages work side by side, so the slowest one decides: the time is that stage's work
/// divided by what its workers do in a second. Pure arithmetic.
package struct Forecast: Sendable, Equatable {
    /// One service or role.
    package struct Stage: Sendable, Equatable {
        /// What is known of it.
        package var figures: PlanFigures.Stage
        /// How many calls, jobs or triggers it has to do.
        package var calls: Double
        /// How many of them it does in a second. nil if that is not known.
        package var perSecond: Double?
        /// How much longer than the mean it may take, as a fraction.
        package var error: Double
        /// How long it takes. nil if that is not known, or it does not move.
        package var seconds: Span?

        /// Whether it never ends: there is work, and nobody who does it.
        package var isBlocked: Bool { calls > 0 && (figures.workers == 0 || figures.halt != nil) }
        /// Whether nothing can be said of it.
        package var isUnknown: Bool { calls > 0 && !isBlocked && seconds == nil }
    }

    /// What no measurement of one stage alone tells: how stages hold each other up, and that no two hours are alike.
    static let leastError = 0.05

    /// What was asked.
    package let work: PlannedWork
    /// What it rests on.
    package let figures: PlanFigures
    /// All stages, in the order of the figures.
    package let stages: [Stage]
    /// How long the last image takes from its first call to its consensus, if it waits for nobody.
    package let tail: Double

    package init(_ figures: PlanFigures, _ work: PlannedWork) {
        self.work = work
        self.figures = figures
        stages = figures.stages.map { Forecast.stage($0, work, pending: figures.imagesToCome(to: $0)) }
        tail = Forecast.tail(stages)
    }

    // MARK: The answer

    /// Stages that have work and do not move.
    package var blocked: [Stage] { stages.filter(\.isBlocked) }

    /// Stages of which nothing can be said.
    package var unknown: [Stage] { stages.filter(\.isUnknown) }

    /// The stage that decides. nil if nothing is to be done, or nothing is known.
    package var bottleneck: Stage? {
        let known = stages.filter { $0.calls > 0 && $0.seconds != nil }
        // One that may be faster than measured decides only if no other does.
        return known.max {
            ($0.seconds?.mean ?? 0, $0.seconds?.high ?? 0) < ($1.seconds?.mean ?? 0, $1.seconds?.high ?? 0)
        }
    }

    /// Stages that may decide as well: their range reaches into that of the bottleneck.
    package var rivals: [Stage] {
        guard let bottleneck, let low = bottleneck.seconds?.low else { return [] }
        return stages.filter { stage in
            stage.figures.service != bottleneck.figures.service && stage.calls > 0
                && stage.seconds.map { $0.high > low } ?? false
        }
    }

    /// Whether there is anything to do.
    package var isNothing: Bool { stages.allSatisfy { $0.calls == 0 } }

    /// How long it takes, of the stages that are known. nil if one does not move, or none is known.
    package var seconds: Span? {
        guard !isNothing else { return .zero }
        guard blocked.isEmpty else { return nil }
        let known = stages.compactMap { $0.calls > 0 ? $0.seconds : nil }
        guard !known.isEmpty else { return nil }
        return known.reduce(Span.zero, Span.later) + tail
    }

    /// How many images it is about.
    package var images: Double {
        if case .images(let count) = work { return Double(count) }
        return figures.imagesWaiting
    }

    // MARK: One stage

    private static func stage(_ figures: PlanFigures.Stage, _ work: PlannedWork, pending: Double) -> Stage {
        let calls: Double
        switch work {
        case .waiting: calls = Double(figures.waiting) + figures.derivedPerImage.mean * pending
        case .images(let count): calls = (figures.jobsPerImage + figures.derivedPerImage.mean) * Double(count)
        }
        var stage = Stage(figures: figures, calls: calls, error: leastError)
        guard let pace = figures.pace else { return stage }
        let own = Double(figures.workers) * pace.perSecond
        let perSecond = min(own, figures.limit ?? .infinity)
        stage.perSecond = perSecond
        stage.error = perSecond < own ? leastError : error(of: calls, pace, figures)
        guard calls > 0 else {
            stage.seconds = .zero
            return stage
        }
        guard perSecond > 0, figures.halt == nil else { return stage }
        stage.seconds = Span(calls / perSecond, error: stage.error)
        if pace.isAtLeast, perSecond == own {
            // It may be as fast as its limit lets it be.
            let best = figures.limit.map { calls / $0 } ?? 0
            let most = stage.seconds?.high ?? best
            stage.seconds = Span(low: best / (1 + leastError), mean: best, high: most)
        }
        return stage
    }

    /// Two standard deviations: that of the calls to come, and that of the mean that was measured.
    private static func error(
        of calls: Double, _ pace: Pace, _ figures: PlanFigures.Stage
    ) -> Double {
        var variance = pace.dispersion * (1 / max(1, calls) + (pace.count.map { 1 / max(1, $0) } ?? 0))
        let derived = figures.derivedPerImage
        if let count = derived.count, derived.mean > 0 {
            let share = derived.mean / (derived.mean + figures.jobsPerImage)
            variance +=
                derived.relativeVariance * share * share * (1 / max(1, count) + 1 / max(1, calls / derived.mean))
        }
        return leastError + 2 * variance.squareRoot()
    }

    private static func tail(_ stages: [Stage]) -> Double {
        func seconds(_ stage: Stage) -> Double {
            guard stage.calls > 0, let pace = stage.figures.pace, pace.perSecond > 0, !pace.isAtLeast else { return 0 }
            return Double(stage.figures.concurrency ?? 1) / pace.perSecond
        }
        let first = stages.filter { $0.figures.jobsPerImage > 0 }.map(seconds).max() ?? 0
        let crops = stages.filter { $0.figures.jobsPerImage == 0 && !$0.figures.isRole }.map(seconds).max() ?? 0
        return first + crops + stages.filter(\.figures.isRole).map(seconds).reduce(0, +)
    }
}
