import Foundation

/// The names by which others know this process.
package enum ThisProcess {
    /// The name of this machine.
    package static let hostname: String = {
        let name = ProcessInfo.processInfo.hostName
        return name.isEmpty ? "localhost" : name
    }()

    /// Who runs it, and where: `anna@k1`.
    package static let user: String = {
        let name = ProcessInfo.processInfo.userName
        return "\(name.isEmpty ? "somebody" : name)@\(hostname)"
    }()

    /// The name under which servers list its connections.
    static let connectionName = "farm \(hostname.prefix(40)) \(ProcessInfo.processInfo.processIdentifier)"
}
