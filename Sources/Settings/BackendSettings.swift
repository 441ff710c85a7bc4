/// Which queue, store and monitoring database are set, and whether they fit together.
struct BackendSettings {
    let queue: QueueSettings?
    let database: DatabaseSettings?
    let monitoring: MonitoringSettings?
    let monitoringEnabled: Bool

    /// - Parameter embeddedIsWanted: whether FARM_DB is set, so that one half may be embedded.
    init(_ variables: Variables, embeddedIsWanted: Bool) {
        Self.check(QueueSettings.group, .queueHost, variables, embeddedIsWanted)
        Self.check(DatabaseSettings.group, .databaseHost, variables, embeddedIsWanted)
        queue = QueueSettings(variables)
        database = DatabaseSettings(variables)
        if !embeddedIsWanted {
            Self.refuseHalf(.queueHost, without: DatabaseSettings.group, .databaseHost, variables)
            Self.refuseHalf(.databaseHost, without: QueueSettings.group, .queueHost, variables)
        }
        monitoringEnabled = variables.flag(.enableMonitoring) ?? false
        monitoring = Self.monitoring(variables, isEnabled: monitoringEnabled)
    }

    /// Reports what is missing in a group while the rest is set.
    private static func check(
        _ group: [Variable], _ host: Variable, _ variables: Variables, _ embeddedIsWanted: Bool
    ) {
        let missing = group.filter { !variables.isSet($0) }
        guard !missing.isEmpty, missing.count < group.count else { return }
        if embeddedIsWanted && missing.contains(host) {
            let idle = group.filter(variables.isSet).map(\.rawValue)
            variables.findings.warning(listing(idle), "ignored without \(host.rawValue)")
            return
        }
        let all = listing(group.map(\.rawValue))
        let advice = missing.contains(host) ? ", or set FARM_DB for the embedded file" : ""
        for variable in missing { variables.fault(variable, "is missing; \(all) are required together\(advice)") }
    }

    /// A host for one and nothing for the other would scatter the data over a server and a file.
    private static func refuseHalf(
        _ host: Variable, without group: [Variable], _ other: Variable, _ variables: Variables
    ) {
        guard variables.isSet(host), !group.contains(where: variables.isSet) else { return }
        variables.fault(
            other,
            "is missing while \(host.rawValue) is set, which would scatter the data; set both or none, or FARM_DB too")
    }

    private static func monitoring(_ variables: Variables, isEnabled: Bool) -> MonitoringSettings? {
        let group = MonitoringSettings.group
        let missing = group.filter { !variables.isSet($0) }.map(\.rawValue)
        if isEnabled {
            for name in missing { variables.findings.fault(name, "is missing; ENABLE_MONITORING=true requires it") }
        } else if !missing.isEmpty, missing.count < group.count {
            let set = listing(group.filter(variables.isSet).map(\.rawValue))
            variables.findings.warning(set, "ignored without \(listing(missing))")
        }
        return MonitoringSettings(variables)
    }
}
