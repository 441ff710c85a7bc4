/// The tables and indexes of a store.
public protocol Schema: Sendable {
    /// Brings tables and indexes up to date, additively; safe to run again and by several processes at once.
    /// - Returns: what was done, a line each; empty if there was nothing to do.
    /// - Throws: `PortFault`.
    func prepare() async throws -> [String]
}
