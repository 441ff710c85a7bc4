/// How a worker gets its id: WORKER_ID.
public enum WorkerIDRule: Sendable, Equatable {
    /// WORKER_ID is not set: `ROLE_SERVICE_HOST_PID`.
    case automatic
    /// WORKER_ID is set in the process environment: the id itself.
    case exact(String)
    /// WORKER_ID is set in the `.env` file, which all machines share: `WORKERID_SERVICE_HOST_PID`.
    case prefix(String)

    /// The column `worker_id` is a VARCHAR(50).
    public static let maximumLength = 50

    /// The id of one worker, at most 50 Unicode scalars.
    ///
    /// An id that is too long is cut in the host, and then in its first part. Service and process stay, so the workers
    /// of one machine have different ids.
    /// - Parameter several: whether the process runs several workers. Then an exact id gets the ending `_SERVICE`.
    public func id(role: String, service: String, host: String, pid: Int32, several: Bool) -> String {
        switch self {
        case .automatic: Self.joined(role, service, host, pid)
        case .prefix(let prefix): Self.joined(prefix, service, host, pid)
        case .exact(let id): several ? Self.cut(id, before: "_" + service) : Self.cut(id, before: "")
        }
    }

    private static func joined(_ first: String, _ service: String, _ host: String, _ pid: Int32) -> String {
        let end = "_\(pid)"
        let start = "\(first)_\(service)"
        let room = maximumLength - start.unicodeScalars.count - end.unicodeScalars.count - 1
        if room > 0 { return start + "_" + host.prefix(scalars: room) + end }
        return cut(first, before: "_" + service + end)
    }

    private static func cut(_ text: String, before end: String) -> String {
        let room = maximumLength - end.unicodeScalars.count
        return room >= 0 ? text.prefix(scalars: room) + end : end.suffix(scalars: maximumLength)
    }
}

extension WorkerIDRule {
    init(_ variables: Variables) {
        self = .automatic
        guard let id = variables.text(.workerID) else { return }
        let length = id.unicodeScalars.count
        guard length <= Self.maximumLength else {
            variables.fault(.workerID, "must have at most \(Self.maximumLength) characters, has \(length)")
            return
        }
        self = variables.source(.workerID) == .process ? .exact(id) : .prefix(id)
    }
}

extension String {
    fileprivate func prefix(scalars count: Int) -> String { String(unicodeScalars.prefix(count)) }
    fileprivate func suffix(scalars count: Int) -> String { String(unicodeScalars.suffix(count)) }
}
