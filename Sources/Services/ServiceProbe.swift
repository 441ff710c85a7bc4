import Model
import Pipeline

extension HTTPClient {
    private static let probeLimit = Duration.seconds(5)

    /// Checks a service without giving it work: does it answer, and is it this service? It asks for its health, and
    /// then for an analysis of nothing, which every service refuses with JSON.
    public func finding(on endpoint: ServiceEndpoint) async -> CheckFinding {
        let subject = "service \(endpoint.label)"
        func failed(_ message: String) -> CheckFinding { CheckFinding(.failed, subject, message) }
        switch await health(of: endpoint) {
        case .failure(let fault) where fault.kind == .unreachable:
            return failed(
                "\(fault.cause); perhaps it is down: start it, or check host and port in service_config.json")
        case .failure(let fault): return failed("\(endpoint.health): \(fault.cause)")
        case .success(let status) where status >= 500: return failed("\(endpoint.health) answers \(status)")
        case .success: break
        }
        do {
            let response = try await perform(endpoint.emptyRequest(HTTPClient.probeLimit))
            return HTTPClient.judge(response, endpoint, subject)
        } catch  where error.kind == .timeout {
            return CheckFinding(
                .warning, subject, "is up, but \(endpoint.endpoint) has not answered in 5 s; perhaps it is busy")
        } catch {
            return failed("\(endpoint.endpoint): \(error.cause)")
        }
    }

    private static func judge(_ response: HTTPResponse, _ endpoint: ServiceEndpoint, _ subject: String) -> CheckFinding
    {
        let json = try? JSON(parsing: response.body)
        let status = "\(endpoint.endpoint) answers \(response.status)"
        if let name = json?["service"]?.stringValue, name != endpoint.name {
            return CheckFinding(
                .failed, subject, "answers as \(Wording.line(name, limit: 50)): check the ports in service_config.json")
        }
        switch response.status {
        case 404: return CheckFinding(.failed, subject, "\(status): check endpoint in service_config.json")
        case 500...: return CheckFinding(.failed, subject, status)
        case _ where json?.objectValue != nil: return CheckFinding(.ok, subject, "answers")
        default:
            return CheckFinding(
                .warning, subject,
                "\(status) without JSON, as no service of farm's contract does: is it the service, or something else?")
        }
    }
}
