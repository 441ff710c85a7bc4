/// The name that the program was called by: as busybox does, a symlink runs the role it is named after, and so do the
/// names that operators have in their scripts.
enum CalledName {
    static let roles = ["produce", "work", "merge", "consense", "enrich", "monitor"]

    /// What the older scripts are called, each with or without `.py`.
    static let olderNames = [
        "generic_producer": "produce", "generic_worker": "work", "bbox_merger_worker": "merge",
        "consensus_worker": "consense", "spatial_enrichment_worker": "enrich", "monitor_workers": "monitor",
    ]

    /// The arguments for farm's own command line.
    /// - Parameter arguments: with the name the program was called by in front.
    static func arguments(_ arguments: [String]) -> [String] {
        let rest = Array(arguments.dropFirst())
        guard let called = arguments.first?.split(separator: "/").last else { return rest }
        let name = called.hasSuffix(".py") ? called.dropLast(3) : called
        if let role = olderNames[String(name)] { return [role] + rest }
        let role = name.hasPrefix("farm-") ? name.dropFirst(5) : name
        return roles.contains(String(role)) ? [String(role)] + rest : rest
    }
}
