import Model

/// What would change: more workers or machines, an end by some time, and where the servers give first.
package struct Advice: Sendable {
    /// What one more worker, or one more machine, gains.
    package struct Gain: Sendable, Equatable {
        /// The service or role.
        package var service: String
        /// How many workers more.
        package var workers: Int
        /// How long it takes then. nil if that is not known.
        package var seconds: Span?
        /// How much sooner it is done, most likely. 0 if something else decides. nil if that is not known.
        package var sooner: Double?
    }

    /// What a service needs so that everything is done in time.
    package struct Need: Sendable, Equatable {
        /// The service or role.
        package var service: String
        /// How many workers more, most likely. nil if that is not known.
        package var workers: Int?
        /// How many so that it is done in time even if it goes badly.
        package var safeWorkers: Int?
        /// On how many more machines, with as many workers on each as now.
        package var boxes: Int?
        /// To what its limit has to be raised, in jobs per second. nil if it suffices or there is none.
        package var limit: Double?
    }

    /// How far a server is from what it can do.
    package struct Load: Sendable, Equatable {
        /// `broker` or `database`.
        package var server: String
        /// Messages or rows for an image.
        package var perImage: Double
        /// What it can do, in messages or rows per second.
        package var ceiling: Double
        /// Images per second at which it is full.
        package var imagesPerSecond: Double
        /// What part of that is needed: by this plan, or to be done in time. nil if that is not known.
        package var share: Double?
        /// Where the figure comes from.
        package var origin: String
    }

    /// The forecast that would change.
    package let forecast: Forecast

    package init(_ forecast: Forecast) { self.forecast = forecast }

    // MARK: Gains

    /// What one more worker of each stage gains, the most first.
    package var ofWorkers: [Gain] { gains { _ in 1 } }

    /// What one more machine of each stage gains, with as many workers as its machines have now.
    package var ofBoxes: [Gain] { gains(\.workersPerBox) }

    private func gains(_ workers: (PlanFigures.Stage) -> Int) -> [Gain] {
        let gains = forecast.stages.filter { $0.calls > 0 }.map { stage in
            gain(stage.figures.service, workers(stage.figures))
        }
        return gains.sorted { ($0.sooner ?? -1, $1.service) > ($1.sooner ?? -1, $0.service) }
    }

    /// What so many more workers of a service gain.
    package func gain(_ service: String, _ workers: Int) -> Gain {
        let then = Forecast(forecast.figures.adding(workers, to: service), forecast.work).seconds
        var sooner: Double?
        if let now = forecast.seconds, let then { sooner = max(0, now.mean - then.mean) }
        return Gain(service: service, workers: workers, seconds: then, sooner: sooner)
    }

    // MARK: In time

    /// What has to be added so that everything is done within some seconds.
    /// - Returns: nil if no number of workers suffices: a single image takes longer.
    package func needs(within seconds: Double) -> [Need]? {
        let available = seconds - forecast.tail
        guard available > 0 else { return forecast.isNothing ? [] : nil }
        return forecast.stages.compactMap { stage in need(of: stage, within: available) }
    }

    private func need(of stage: Forecast.Stage, within seconds: Double) -> Need? {
        guard stage.calls > 0 else { return nil }
        let required = stage.calls / seconds
        let figures = stage.figures
        var need = Need(service: figures.service)
        if let limit = figures.limit, limit < required { need.limit = required * (1 + Forecast.leastError) }
        guard let pace = figures.pace, pace.perSecond > 0 else {
            return need
        }
        func missing(_ factor: Double) -> Int {
            let wanted = (required * factor / pace.perSecond - 1e-9).rounded(.up)
            return max(0, Int(exactly: min(wanted, 1e9)) ?? 0) - figures.workers
        }
        // Of a stage that may be faster than measured, this is what it takes at most.
        let workers = max(0, pace.isAtLeast ? 0 : missing(1))
        let safe = max(workers, missing(1 + stage.error))
        guard workers > 0 || safe > 0 || need.limit != nil || figures.halt != nil else { return nil }
        (need.workers, need.safeWorkers) = (workers, safe)
        need.boxes = (workers + figures.workersPerBox - 1) / figures.workersPerBox
        return need
    }

    // MARK: Servers

    /// Where broker and database give.
    /// - Parameter seconds: the time in which it is to be done. nil: as long as it takes.
    package func loads(within seconds: Double? = nil) -> [Load] {
        let figures = forecast.figures
        let span = seconds ?? forecast.seconds?.mean
        let pace = span.flatMap { $0 > 0 ? forecast.images / $0 : nil }
        func load(_ server: String, _ ceiling: PlanFigures.Ceiling?, _ perImage: Double) -> Load? {
            guard let ceiling, perImage > 0 else { return nil }
            let images = ceiling.perSecond / perImage
            return Load(
                server: server, perImage: perImage, ceiling: ceiling.perSecond, imagesPerSecond: images,
                share: pace.map { $0 / images }, origin: ceiling.origin)
        }
        return [
            load("broker", figures.broker, figures.messagesPerImage),
            load("database", figures.database, figures.rowsPerImage),
        ].compactMap { $0 }
    }
}
