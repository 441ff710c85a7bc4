import ArgumentParser

/// A command that may serve queues until a signal.
protocol RoleCommand: AsyncParsableCommand {
    /// Whether it serves queues. If not, it does one thing and ends.
    var serves: Bool { get }
}

extension UpCommand: RoleCommand { var serves: Bool { true } }
extension WorkCommand: RoleCommand { var serves: Bool { true } }
extension MergeCommand: RoleCommand { var serves: Bool { recompute.isServing } }
extension EnrichCommand: RoleCommand { var serves: Bool { recompute.isServing } }
extension ConsenseCommand: RoleCommand { var serves: Bool { recompute.isServing } }
