/// The name under which the program was called. As with busybox, a symlink runs the role it is named after. So do the
/// names that operators have in their scripts.
enum CalledName {
    static let roles = ["produce", "work", "merge", "consense", "enrich", "monitor"]

    /// The names of the older scripts. Each may end with `.py`.
    static let olderNames = [
        "generic_producer": "produce", "generic_worker": "work", "bbox_merger_worker": "merge",
        "consensus_worker": "consense", "spatial_enrichment_worker": "enrich", "monitor_workers": "monitor",
    ]

    /// The arguments for farm's own command line.
    /// - Parameter arguments: the arguments after the name under which the program was called, which comes first.
    static func arguments(_ arguments: [String]) -> [String] {
        let rest = Array(arguments.dropFirst())
        guard let called = arguments.first?.split(separator: "/").last else { return rest }
        let name = called.hasSuffix(".py") ? called.dropLast(3) : called
        if let role = olderNames[String(name)] { return [role] + rest }
        let role = name.hasPrefix("farm-") ? name.dropFirst(5) : name
        return roles.contains(String(role)) ? [String(role)] + rest : rest
    }
}
