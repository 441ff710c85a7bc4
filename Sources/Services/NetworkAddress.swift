import Glibc

/// An IP address. It knows whether it belongs to the open Internet.
struct NetworkAddress: Equatable, CustomStringConvertible {
    /// Four bytes for IPv4, sixteen for IPv6.
    let bytes: [UInt8]

    /// The address to which a socket is about to connect. nil if it is not an IP address.
    init?(_ address: UnsafePointer<sockaddr>) {
        let start = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET: bytes = withUnsafeBytes(of: start.loadUnaligned(as: sockaddr_in.self).sin_addr, Array.init)
        case AF_INET6: bytes = withUnsafeBytes(of: start.loadUnaligned(as: sockaddr_in6.self).sin6_addr, Array.init)
        default: return nil
        }
    }

    /// An address as a URL may contain it: IPv6 without its brackets, perhaps with a zone; IPv4 in all the forms that
    /// `inet_aton` accepts, such as 127.1, 0x7f000001 and 017700000001, since resolvers accept them.
    init?(literal text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET6, String(text.prefix { $0 != "%" }), &six) == 1 {
            bytes = withUnsafeBytes(of: six, Array.init)
        } else if !text.isEmpty, text.utf8.allSatisfy({ "0123456789abcdefABCDEFxX.".utf8.contains($0) }),
            inet_aton(text, &four) == 1
        {
            bytes = withUnsafeBytes(of: four, Array.init)
        } else {
            return nil
        }
    }

    /// Whether the address is reached over the open Internet, and by everyone alike: not loopback, link-local, private,
    /// shared (RFC 6598), multicast, unspecified, for documentation, or reserved (IANA's registries of special-purpose
    /// addresses, RFC 6890). An IPv4 address inside an IPv6 address is judged by itself.
    var isPublic: Bool {
        guard bytes.count == 16 else { return !NetworkAddress.special4.contains { $0.contains(bytes) } }
        if let inner = NetworkAddress.carriers.first(where: { $0.contains(bytes) }) {
            return NetworkAddress(bytes: Array(bytes[(inner.bits / 8)...])).isPublic
        }
        return NetworkAddress.global.contains(bytes) && !NetworkAddress.special6.contains { $0.contains(bytes) }
    }

    var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count)) != nil else {
            return "no address"
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private static let special4: [Prefix] = [
        Prefix([0], 8), Prefix([10], 8), Prefix([100, 64], 10), Prefix([127], 8), Prefix([169, 254], 16),
        Prefix([172, 16], 12), Prefix([192, 0, 0], 24), Prefix([192, 0, 2], 24), Prefix([192, 88, 99], 24),
        Prefix([192, 168], 16), Prefix([198, 18], 15), Prefix([198, 51, 100], 24), Prefix([203, 0, 113], 24),
        Prefix([224], 4), Prefix([240], 4),
    ]

    /// The only IPv6 range that is assigned for the open Internet: 2000::/3.
    private static let global = Prefix([0x20], 3)

    /// Exceptions in `global`: 2001::/23 (Teredo, ORCHID and others), 2001:db8::/32, 2002::/16 (6to4), 3fff::/20.
    private static let special6: [Prefix] = [
        Prefix([0x20, 0x01, 0x00], 23), Prefix([0x20, 0x01, 0x0D, 0xB8], 32), Prefix([0x20, 0x02], 16),
        Prefix([0x3F, 0xFF, 0x00], 20),
    ]

    /// ::ffff:0:0/96 and 64:ff9b::/96 (NAT64), whose last four bytes are an IPv4 address.
    private static let carriers: [Prefix] = [
        Prefix([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], 96),
        Prefix([0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0], 96),
    ]

    /// Addresses that begin with the same bits.
    private struct Prefix {
        let bytes: [UInt8]
        let bits: Int

        init(_ bytes: [UInt8], _ bits: Int) {
            self.bytes = bytes
            self.bits = bits
        }

        func contains(_ address: [UInt8]) -> Bool {
            for (index, byte) in bytes.enumerated() {
                let mask = UInt8(truncatingIfNeeded: 0xFF00 >> min(8, max(0, bits - index * 8)))
                guard address[index] & mask == byte & mask else { return false }
            }
            return true
        }
    }
}
