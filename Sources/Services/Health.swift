private let healthBodyLimit = 1 << 20

extension HTTPTransport {
    /// Asks for a service's `health`.
    /// - Returns: the status of the answer, even if the rest failed; or why there is none.
    public func health(of endpoint: ServiceEndpoint) async -> Result<Int, HTTPFault> {
        let request = HTTPRequest(
            url: endpoint.healthURL, timeout: min(endpoint.timeout, .seconds(10)), bodyLimit: healthBodyLimit
        )
        do {
            return .success(try await perform(request).status)
        } catch {
            return error.status.map(Result.success) ?? .failure(error)
        }
    }
}
