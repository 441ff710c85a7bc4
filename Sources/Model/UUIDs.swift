import CLibUUID
import Foundation

extension UUID {
    /// A name-based UUID, version 5 (RFC 9562 section 5.5), of these bytes in a namespace, computed by libuuid.
    public init(namespace: UUID, name: some Collection<UInt8>) {
        var space = namespace.uuid
        var made: uuid_t = UUID_NULL
        let name = Array(name)
        withUnsafeBytes(of: &space) { space in
            withUnsafeMutableBytes(of: &made) { made in
                name.withUnsafeBytes { name in
                    uuid_generate_sha1(
                        made.baseAddress?.assumingMemoryBound(to: UInt8.self),
                        space.baseAddress?.assumingMemoryBound(to: UInt8.self),
                        name.baseAddress?.assumingMemoryBound(to: CChar.self), name.count)
                }
            }
        }
        self.init(uuid: made)
    }

    /// The namespace of the ids that farm derives: the version 5 UUID of "farm" in the DNS namespace of RFC 9562.
    public static let farm =
        UUID(uuidString: "6ba7b810-9dad-11d1-80b4-00c04fd430c8").map {
            UUID(namespace: $0, name: "farm".utf8)
        } ?? UUID(uuid: UUID_NULL)

    /// The UUID in lower case with hyphens, as PostgreSQL and Python write it.
    public var text: String { uuidString.lowercased() }
}

private let UUID_NULL: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
