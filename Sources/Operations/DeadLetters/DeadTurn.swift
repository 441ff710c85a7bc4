/// Lets one round through the dead letters go at a time. While a round looks at letters, a broker gives them to nobody else, so
/// that another round would miss them.
package actor DeadTurn {
    /// Another round goes.
    package struct Taken: Error {}

    private var isBusy = false

    package init() {}

    /// - Throws: `Taken` while another round goes; what `round` throws.
    package func run<Answer: Sendable>(_ round: @Sendable () async throws -> Answer) async throws -> Answer {
        guard !isBusy else { throw Taken() }
        isBusy = true
        defer { isBusy = false }
        return try await round()
    }
}
