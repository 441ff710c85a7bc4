/// Where traces are sent, according to OpenTelemetry's variables.
public struct TraceSettings: Sendable, Equatable {
    /// OTEL_EXPORTER_OTLP_ENDPOINT followed by `/v1/traces`. It may contain a password, so it is never shown.
    public var url: String
    /// OTEL_SERVICE_NAME.
    public var serviceName: String
    /// OTEL_TRACES_SAMPLER_ARG: which part of the traces that begin here is recorded, from 0 to 1.
    public var ratio: Double

    /// - Returns: nil if no endpoint is set.
    init?(_ variables: Variables) {
        let ratio = variables.number(.otelTracesSamplerArgument, in: .fraction) ?? 1
        let serviceName = variables.text(.otelServiceName) ?? "farm"
        guard let endpoint = variables.text(.otelEndpoint)?.trimmed, !endpoint.isEmpty else { return nil }
        let lower = endpoint.lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://"), !endpoint.holdsControls,
            !endpoint.contains(" ")
        else {
            variables.fault(.otelEndpoint, "must be a URL of a collector, such as http://127.0.0.1:4318")
            return nil
        }
        var base = endpoint
        while base.hasSuffix("/") { base.removeLast() }
        self.url = base + "/v1/traces"
        self.serviceName = serviceName
        self.ratio = ratio
    }
}
