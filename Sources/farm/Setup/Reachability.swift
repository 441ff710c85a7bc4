import Foundation
import Services

/// Which services do not answer their health probe, asked anew at most every two seconds.
actor Reachability {
    private static let validity: TimeInterval = 2

    private let services: [ServiceEndpoint]
    private let http: HTTPClient
    private var known: [String: String] = [:]
    private var asked = Date.distantPast

    init(_ services: [ServiceEndpoint], http: HTTPClient) {
        self.services = services
        self.http = http
    }

    /// Those that are down, with the reason.
    func outages() async -> [String: String] {
        guard Date().timeIntervalSince(asked) > Reachability.validity else { return known }
        asked = Date()
        let http = http
        known = await withTaskGroup(of: (String, String?).self) { group in
            for service in services { group.addTask { (service.name, await http.outage(of: service)) } }
            return await group.reduce(into: [:]) { outages, answer in outages[answer.0] = answer.1 }
        }
        return known
    }
}
