import Pipeline

/// All that `farm check` looks at on a box, side by side.
package struct BoxCheck: Sendable {
    /// Looks at one thing.
    package typealias Probe = @Sendable () async -> [CheckFinding]

    /// What the settings themselves tell.
    let settings: [CheckFinding]
    /// Of queue and store.
    let servers: [Probe]
    /// Of what stands still in the queues, once the servers are known to answer.
    let queues: Probe
    /// Of all else.
    let others: [Probe]

    /// A check that looks at all of these.
    package init(settings: [CheckFinding], servers: [Probe], queues: @escaping Probe, others: [Probe]) {
        self.settings = settings
        self.servers = servers
        self.queues = queues
        self.others = others
    }

    /// Settings first, then queue, store, what stands still, heartbeats, services, pictures.
    package func findings() async -> [CheckFinding] {
        async let others = BoxCheck.run(others)
        let servers = await BoxCheck.run(servers)
        // Afterwards, since it takes nothing from the limits of those, and not where its servers are out of reach.
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
