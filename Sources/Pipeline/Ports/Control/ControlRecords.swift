/// What operators have set for the whole farm, in a table of farm's own (`farm_control`). Workers read it again and again. All
/// methods throw `PortFault`.
public protocol ControlRecords: Sendable {
    /// What is set now. A pause whose `until` has passed, by the store's clock, is over.
    func control() async throws -> ControlSheet

    /// Changes what is set for some services and roles, and writes the audit's row, in one transaction.
    /// - Parameter change: receives what is set for them now. It may be called more than once. If it fails, nothing is changed.
    /// - Returns: the services that change, with what is set for them from then on.
    /// - Throws: `PortFault`, or the error of `change`.
    func changeControl(
        of services: [String], _ change: @Sendable @escaping (ControlSheet) -> Result<ControlChange, any Error>
    ) async throws -> [ServiceControl]

    /// Leases tokens of a service's rate limit, in one short transaction by the store's clock. A token is good for one job. The
    /// tokens of a process that dies are lost, and new ones come in at the rate of the limit.
    /// - Parameters:
    ///   - count: how many are wanted.
    ///   - returned: how many were leased before and not used.
    func leaseTokens(_ count: Int, returning returned: Int, of service: String) async throws -> TokenLease
}
