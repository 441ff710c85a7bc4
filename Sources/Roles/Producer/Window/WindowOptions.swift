import Model
import Pipeline

/// What to submit, and how much of it may wait.
public struct WindowOptions: Sendable {
    /// The services.
    public var targets: [Target]
    /// Groups that take turns; nil stands for the images of any group or none.
    public var groups: [String?]
    /// Which jobs of the images.
    public var kind: SubmissionKind
    /// How many jobs may wait in a queue.
    public var window: Int
    /// The largest number of images, including those of earlier runs. nil for all.
    public var limit: Int?
    /// The pause between two jobs.
    public var delay: Duration
    /// Whether to begin with the first image, whatever has been submitted before.
    public var restarts: Bool

    package init(
        targets: [Target], groups: [String?] = [nil], kind: SubmissionKind = .every, window: Int, limit: Int? = nil,
        delay: Duration = .zero, restarts: Bool = false
    ) {
        self.targets = targets
        self.groups = groups
        self.kind = kind
        self.window = window
        self.limit = limit
        self.delay = delay
        self.restarts = restarts
    }
}

/// How far the jobs of one service are submitted.
public struct LaneStanding: Sendable, Equatable {
    /// The service and its queue.
    public var target: Target
    /// How many jobs this run has submitted.
    public var jobs = 0
    /// How many images have been submitted in all, by this run and earlier ones.
    public var images = 0
    /// How many jobs waited in the queue at the last look.
    public var waiting = 0
    /// How many jobs an earlier run may have submitted and that are looked for.
    public var doubtful = 0
    /// For how many seconds the queue has been full and nothing was taken from it.
    public var stillSeconds = 0.0
    /// Whether nothing is left to submit.
    public var isOver = false
    /// Why its queue takes nothing.
    public var fault: String?
}

/// What has been submitted in a window.
public struct WindowCounts: Sendable, Equatable {
    /// Each service, in the order of the options.
    public var lanes: [LaneStanding]
    /// The largest image_id of each group, in the order of the options.
    public var lastImages: [ImageID]
    /// The largest result_id before the submission began, in this run or an earlier one.
    public var baseline: Int

    /// How many jobs this run has submitted.
    public var jobs: Int { lanes.reduce(0) { $0 + $1.jobs } }
    /// How many jobs have been submitted in all, by this run and earlier ones.
    public var jobsInAll: Int { lanes.reduce(0) { $0 + $1.images } }
    /// How many images have all their jobs in the queues.
    public var images: Int { lanes.map(\.images).min() ?? 0 }
    /// Whether nothing is left to submit.
    public var isOver: Bool { lanes.allSatisfy(\.isOver) }
}
