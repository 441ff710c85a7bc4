import Pipeline

/// Everything that `farm check` looks at on a machine, side by side.
package struct MachineCheck: Sendable {
    /// Looks at one thing and reports on it.
    package typealias Probe = @Sendable () async -> [CheckFinding]

    /// What the settings themselves show.
    let settings: [CheckFinding]
    /// The probes of queue and store.
    let servers: [Probe]
    /// The probe for queues that stand still. It runs when the servers are known to answer.
    let queues: Probe
    /// The probes of everything else.
    let others: [Probe]

    /// A check with all of these probes.
    package init(settings: [CheckFinding], servers: [Probe], queues: @escaping Probe, others: [Probe]) {
        self.settings = settings
        self.servers = servers
        self.queues = queues
        self.others = others
    }

    /// The findings, in this order: settings, queue, store, what stands still, heartbeats, services, pictures.
    package func findings() async -> [CheckFinding] {
        async let others = MachineCheck.run(others)
        let servers = await MachineCheck.run(servers)
        // This comes last, so that it does not use up the others' time, and is left out if its servers are out of
        // reach.
        let standing = servers.contains { $0.grade == .failed } ? [] : await queues()
        return settings + servers + standing + (await others)
    }

    private static func run(_ probes: [Probe]) async -> [CheckFinding] {
        await withTaskGroup(of: (Int, [CheckFinding]).self) { group in
            for (index, probe) in probes.enumerated() { group.addTask { (index, await probe()) } }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.flatMap(\.1)
        }
    }
}
