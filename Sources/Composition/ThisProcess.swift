import Foundation

/// The names by which others know this process.
package enum ThisProcess {
    /// The name of this machine.
    package static let hostname: String = {
        let name = ProcessInfo.processInfo.hostName
        return name.isEmpty ? "localhost" : name
    }()

    /// The name under which servers list its connections.
    static let connectionName = "farm \(hostname.prefix(40)) \(ProcessInfo.processInfo.processIdentifier)"
}
