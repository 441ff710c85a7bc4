import Foundation

/// What others know this process by.
package enum ThisProcess {
    /// This box's name.
    package static let hostname: String = {
        let name = ProcessInfo.processInfo.hostName
        return name.isEmpty ? "localhost" : name
    }()

    /// What servers list its connections by.
    static let connectionName = "farm \(hostname.prefix(40)) \(ProcessInfo.processInfo.processIdentifier)"
}
