/// How operators steer the fleet, in a table of farm's own (`farm_control`), which workers read again and again. All throw
/// `PortFault`.
public protocol ControlRecords: Sendable {
    /// What is set now, by the store's clock: a pause whose time has passed is over.
    func control() async throws -> ControlSheet

    /// Changes what is set for these services and roles, in one transaction with its row in the audit.
    /// - Parameter change: given what is set for them now. It may be called again. Where it fails nothing is changed.
    /// - Returns: those that change, with what is set for them from then on.
    /// - Throws: `PortFault`; that with which `change` has failed.
    func changeControl(
        of services: [String], _ change: @Sendable @escaping (ControlSheet) -> Result<ControlChange, any Error>
    ) async throws -> [ServiceControl]

    /// Leases tokens of a service's rate limit, each good for one job, in one short transaction by the store's clock. Those of
    /// a process that dies are lost, and others come in their place at the limit's rate.
    /// - Parameters:
    ///   - count: how many are wanted.
    ///   - returned: so many, leased before, were not used.
    func leaseTokens(_ count: Int, returning returned: Int, of service: String) async throws -> TokenLease
}
