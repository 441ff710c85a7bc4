/// What can be measured by itself: `make bench ONLY=merging`.
enum Part: String, CaseIterable {
    case start
    case merging
    case queue
    case pipeline
    case latency

    /// - Throws: `BenchFault`, or what the measured modules throw.
    func measure() async throws -> [Figure] {
        switch self {
        case .start: try StartBench.run()
        case .merging: try await MergingBench.run()
        case .queue: try await QueueBench.run()
        case .pipeline: try await PipelineBench.run()
        case .latency: try await LatencyBench.run()
        }
    }
}
