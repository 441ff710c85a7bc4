import Model

/// What a plan is computed from: how fast each service and role is, how much waits, and what broker and database can do.
package struct PlanFigures: Sendable, Equatable {
    /// A service, or a role of post-processing.
    package struct Stage: Sendable, Equatable {
        /// Its name.
        package var service: String
        /// How many jobs the producer submits for an image.
        package var jobsPerImage: Double
        /// How many calls or triggers follow from an image later on: crops, merges.
        package var derivedPerImage: Measure
        /// How many jobs or triggers wait.
        package var waiting: Int
        /// How many workers it has.
        package var workers: Int
        /// On how many machines they are.
        package var boxes: Int
        /// How many calls a worker makes at once. nil for a role that calls no service.
        package var concurrency: Int?
        /// How fast one worker is. nil if too little was measured.
        package var pace: Pace?
        /// Jobs per second that an operator allows for all workers together.
        package var limit: Double?
        /// Why it does not move now.
        package var halt: String?
        /// Where the pace comes from, for people.
        package var origin: String

        package init(
            service: String, jobsPerImage: Double = 1, derivedPerImage: Measure = Measure(0), waiting: Int = 0,
            workers: Int, boxes: Int? = nil, concurrency: Int? = nil, pace: Pace?, limit: Double? = nil,
            halt: String? = nil, origin: String = ""
        ) {
            self.service = service
            self.jobsPerImage = jobsPerImage
            self.derivedPerImage = derivedPerImage
            self.waiting = waiting
            self.workers = workers
            self.boxes = boxes ?? min(1, workers)
            self.concurrency = concurrency
            self.pace = pace
            self.limit = limit
            self.halt = halt
            self.origin = origin
        }

        /// Whether it is a role, which works for what services have answered.
        package var isRole: Bool { PostProcessing(rawValue: service) != nil }

        /// Whether its boxes are merged.
        var isDetector: Bool { CatalogueService.named(service)?.evidence == .spatial }

        /// How many workers a machine has: those of one more machine.
        package var workersPerBox: Int { max(1, (workers + max(1, boxes) - 1) / max(1, boxes)) }
    }

    /// What a server can do.
    package struct Ceiling: Sendable, Equatable {
        /// Messages, or rows, per second.
        package var perSecond: Double
        /// Messages, or rows, for each image; nil: as many as the stages tell.
        package var perImage: Double?
        /// Where the figure comes from.
        package var origin: String

        package init(perSecond: Double, perImage: Double? = nil, origin: String) {
            self.perSecond = perSecond
            self.perImage = perImage
            self.origin = origin
        }
    }

    /// Services, then roles.
    package var stages: [Stage]
    /// What the broker can do, in messages.
    package var broker: Ceiling?
    /// What the database can do, in rows.
    package var database: Ceiling?
    /// What is not known, beside what every plan leaves out.
    package var remarks: [String]

    package init(
        stages: [Stage], broker: Ceiling? = nil, database: Ceiling? = nil, remarks: [String] = []
    ) {
        self.stages = stages
        self.broker = broker
        self.database = database
        self.remarks = remarks
    }

    /// The same, with more workers of a service.
    package func adding(_ workers: Int, boxes: Int = 0, to service: String) -> PlanFigures {
        var figures = self
        for place in stages.indices where stages[place].service == service {
            figures.stages[place].workers += workers
            figures.stages[place].boxes = max(1, stages[place].boxes + boxes)
        }
        return figures
    }

    /// How many images have something that waits in the queue of any of these, at most.
    private func images(waitingFor isMeant: (Stage) -> Bool) -> Double {
        stages.filter(isMeant).map { Double($0.waiting) / max(1, $0.jobsPerImage) }.max() ?? 0
    }

    /// How many images have jobs or triggers that wait, at most.
    package var imagesWaiting: Double { images { $0.service != PostProcessing.consensus.rawValue } }

    /// For how many images something that waits elsewhere will still bring work to a stage: a merge follows from detectors, crops
    /// follow from merges, and a vote follows from everything.
    package func imagesToCome(to stage: Stage) -> Double {
        let hasDetectors = stages.contains(where: \.isDetector)
        func isBefore(_ other: Stage) -> Bool {
            guard let role = PostProcessing(rawValue: other.service) else {
                return other.isDetector || !hasDetectors && other.jobsPerImage > 0
            }
            switch (role, PostProcessing(rawValue: stage.service)) {
            case (.merger, .enricher?), (.merger, nil), (.enricher, nil): return true
            default: return false
            }
        }
        guard stage.service != PostProcessing.consensus.rawValue else { return imagesWaiting }
        return images(waitingFor: isBefore)
    }

    /// Messages that the broker handles for an image.
    package var messagesPerImage: Double {
        broker?.perImage
            ?? stages.reduce(0) { $0 + $1.jobsPerImage + ($1.isRole ? $1.derivedPerImage.mean : 0) }
    }

    /// Rows that the database gets for an image: results, enrichments, one consensus; boxes too if it is known.
    package var rowsPerImage: Double {
        database?.perImage
            ?? stages.reduce(1) { $0 + $1.jobsPerImage + ($1.isRole ? 0 : $1.derivedPerImage.mean) }
    }
}
