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

    /// Up is whatever answers below 500, as the circuit breaker has it.
    private static func outage(_ health: Result<Int, HTTPFault>) -> String? {
        switch health {
        case .success(let status): status < 500 ? nil : "its health answers \(status)"
        case .failure(let fault): fault.description
        }
    }

    /// Those that are down, with the reason.
    func outages() async -> [String: String] {
        guard Date().timeIntervalSince(asked) > Reachability.validity else { return known }
        asked = Date()
        known = await Reachability.ask(services, http)
        return known
    }

    private static func ask(_ services: [ServiceEndpoint], _ http: HTTPClient) async -> [String: String] {
        await withTaskGroup(of: (String, String?).self) { group in
            for service in services { group.addTask { (service.name, outage(await http.health(of: service))) } }
            return await group.reduce(into: [:]) { outages, answer in outages[answer.0] = answer.1 }
        }
    }
}
