/// What can be measured by itself: `make bench ONLY=merging`.
enum Part: String, CaseIterable {
    case start
    case merging
    case queue
    case events
    case pipeline
    case latency
    case rabbitmq
    case postgresql
    case producing
    case cluster
    case floors
    case worker
    case serverLatency = "latency-servers"
    case plan

    /// - Throws: `BenchFault`, or what the measured modules throw.
    func measure() async throws -> [Figure] {
        switch self {
        case .start: try StartBench.run()
        case .merging: try await MergingBench.run()
        case .queue: try await QueueBench.run()
        case .events: try await EventsBench.run()
        case .pipeline: try await PipelineBench.run()
        case .latency: try await LatencyBench.run()
        case .rabbitmq: try await RabbitMQBench.run()
        case .postgresql: try await PostgreSQLBench.run()
        case .producing: try await ProducingBench.run()
        case .cluster: try await ClusterBench.run()
        case .floors: try await FloorsBench.run()
        case .worker: try await WorkerBench.run()
        case .serverLatency: try await ServerLatencyBench.run()
        case .plan: try PlanBench.run()
        }
    }
}
