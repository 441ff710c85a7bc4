/// The address on which a server of this process listens.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// A host name or address. An IPv6 address has no brackets.
    public var host: String
    /// The port. 0 for one that the system chooses.
    public var port: Int

    /// Makes an address from parts that are known to be valid.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Whether only programs of this machine can reach it.
    public var isLoopback: Bool { host == "localhost" || host == "::1" || isIPv4Loopback }

    private var isIPv4Loopback: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The address as it is written in a URL.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension ListenAddress {
    /// What an address must be, for messages about one that is not.
    public static let requirement =
        "must be a port, 0…65535, or HOST:PORT, such as 127.0.0.1:9464, [::1]:9464 or 0.0.0.0:9464 for every address"

    /// A port without a host is on loopback, so that leaving something out does not open it to the network.
    /// - Returns: nil if this is no such address.
    public static func parse(_ text: String) -> ListenAddress? {
        let text = text.trimmed
        guard let colon = text.lastIndex(of: ":") else {
            return port(text[...]).map { ListenAddress(host: "127.0.0.1", port: $0) }
        }
        let name = String(text[..<colon])
        guard let port = port(text[text.index(after: colon)...]), let host = HostName.parse(name) else { return nil }
        // Without brackets, the last group of an IPv6 address could be taken for a port.
        guard !host.contains(":") || name.hasPrefix("[") else { return nil }
        return ListenAddress(host: host, port: port)
    }

    private static func port(_ text: Substring) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text).flatMap { (0...65_535).contains($0) ? $0 : nil }
    }
}

extension Variables {
    /// A port or HOST:PORT; see `ListenAddress`.
    func listenAddress(_ variable: Variable) -> ListenAddress? {
        guard let text = text(variable) else { return nil }
        guard let address = ListenAddress.parse(text) else {
            fault(variable, ListenAddress.requirement)
            return nil
        }
        return address
    }
}
