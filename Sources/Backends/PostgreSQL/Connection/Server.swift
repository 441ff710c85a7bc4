import Foundation
import Model

/// One server, and how this program logs in there.
struct Server: Sendable {
    /// The primary or the replica.
    var host: String
    var options: PostgreSQLOptions

    /// For messages: `PostgreSQL animal_farm on k1:5432`.
    var place: String { "PostgreSQL \(options.name) on \(host):\(options.port)" }

    /// Whether it is on this machine by its name. Such a connection crosses no network.
    var isHere: Bool {
        // Only digits and dots, since 127.example.org is a name.
        let isLoopback = host.hasPrefix("127.") && host.utf8.allSatisfy { "0123456789.".utf8.contains($0) }
        return host == "localhost" || host == "::1" || isLoopback || PathText.isAbsolute(host)
    }

    /// The parameters for libpq. They contain the password, so they are made for one connection and not kept.
    var parameters: [(key: String, value: String)] {
        var parameters = [
            ("host", host), ("port", String(options.port)), ("dbname", options.name), ("user", options.user),
            ("password", options.password()), ("sslmode", options.sslMode),
            ("application_name", options.applicationName), ("client_encoding", "UTF8"),
            // Kerberos would be tried first, and its libraries look for tickets in the network.
            ("gssencmode", "disable"),
            // A broken cable is noticed while waiting for an answer and while waiting to send.
            ("keepalives_idle", "20"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "30000"),
        ]
        if let authorities { parameters.append(("sslrootcert", authorities)) }
        return parameters
    }

    /// libpq 15 has no value for the system's certificates, and would look in the user's home.
    private var authorities: String? {
        if let file = options.caFile { return file }
        guard options.sslMode.hasPrefix("verify") else { return nil }
        let bundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"]
        return bundles.first { FileManager.default.fileExists(atPath: $0) }
    }
}
