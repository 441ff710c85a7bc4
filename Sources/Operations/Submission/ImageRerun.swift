import Model
import Pipeline
import Roles

/// Which services are asked about an image once more.
package enum ImageRerun: Sendable, Equatable {
    /// Expected services without any row.
    case missing
    /// Services whose newest row is an error.
    case failed
    /// Services that have succeeded and found nothing.
    case empty
    /// All expected services.
    case all
    /// These.
    case services([String])

    /// The kinds that have a name.
    package static let named: [(name: String, rerun: ImageRerun)] = [
        ("missing", .missing), ("failed", .failed), ("empty", .empty), ("all", .all),
    ]

    /// The services.
    /// - Throws: `OperationFault` for a service that nobody knows.
    package func targets(
        of analysis: ImageAnalysis, expecting expected: [String], _ directory: ServiceDirectory
    ) throws(OperationFault) -> [Target] {
        let names: [String]
        switch self {
        case .missing: names = analysis.missing
        case .failed: names = analysis.failed
        case .empty:
            names = analysis.report.findings.results.filter {
                $0.status == .success && $0.data["predictions"]?.arrayValue?.isEmpty ?? true
            }.map(\.service)
        case .all: names = expected
        case .services(let services): return try directory.targets(services.joined(separator: ","))
        }
        // A service that was taken out of the configuration is asked no more.
        return names.compactMap(directory.service(named:)).map { Target(service: $0.name, queue: $0.queue) }
    }
}
