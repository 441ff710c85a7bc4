import Foundation

/// What others know this process by.
package enum ThisProcess {
    /// This box's name.
    package static let hostname: String = {
        let name = ProcessInfo.processInfo.hostName
        return name.isEmpty ? "localhost" : name
    }()

    /// Who runs it, and where: `anna@k1`.
    package static let user: String = {
        let name = ProcessInfo.processInfo.userName
        return "\(name.isEmpty ? "somebody" : name)@\(hostname)"
    }()

    /// What servers list its connections by.
    static let connectionName = "farm \(hostname.prefix(40)) \(ProcessInfo.processInfo.processIdentifier)"
}
