/// The tables and indexes of a store.
public protocol Schema: Sendable {
    /// Brings tables and indexes up to date. It only adds, may run again, and may run in several processes at once.
    /// - Returns: what was done, one line for each step. Empty if there was nothing to do.
    /// - Throws: `PortFault`.
    func prepare() async throws -> [String]
}
