import Synchronization

/// What can go wrong in a run.
package enum Fault: Int, CaseIterable, Sendable {
    // Processes
    case processDied
    case processDrained
    case clockJumped
    case killerPicture
    // Queue
    case connectionLost
    case leaseLost
    case queueDown
    case queueBlocked
    case takingFailed
    case publishLost
    case confirmLost
    case publishedTwice
    case acknowledgeLost
    case acknowledgeUnconfirmed
    case reordered
    case notAMessage
    case unknownImage
    // Store
    case storeLost
    case commitUnconfirmed
    case slowCommit
    case storeDown
    case storeUnusable
    case rowsRefused
    case valueRefused
    case heartbeatLost
    // Services
    case serviceDown
    case serviceHangs
    case serviceFails
    case serviceErrs
    case serverError
    case timeout
    case cutOff
    case garbage
    case tooManyRequests
    case longPause
    case slowAnswer
    case finalAnswer
    case pictureMissing
    case picturesAway
    case pictureStumbles
    // Operators
    case servicePaused
    case serviceLimited
}

extension Fault: CustomStringConvertible {
    /// As the totals and the trace name it.
    package var description: String {
        switch self {
        case .processDied: "process died"
        case .processDrained: "process drained and started again"
        case .clockJumped: "clock jumped"
        case .killerPicture: "picture killed the process that asked about it"
        case .connectionLost: "connection to the queue lost"
        case .leaseLost: "lease ran out under a living process"
        case .queueDown: "queue out of reach"
        case .queueBlocked: "queue takes no messages"
        case .takingFailed: "taking failed"
        case .publishLost: "publish lost before its effect"
        case .confirmLost: "confirm lost after the publish"
        case .publishedTwice: "message published twice"
        case .acknowledgeLost: "acknowledgement lost before its effect"
        case .acknowledgeUnconfirmed: "acknowledgement reported lost after its effect"
        case .reordered: "delivered out of order"
        case .notAMessage: "message that is none"
        case .unknownImage: "message about an unknown image"
        case .storeLost: "store lost before the commit"
        case .commitUnconfirmed: "store lost after the commit"
        case .slowCommit: "slow commit"
        case .storeDown: "store out of reach"
        case .storeUnusable: "store unusable"
        case .rowsRefused: "store refuses every row"
        case .valueRefused: "value refused by the store"
        case .heartbeatLost: "heartbeat not stored"
        case .serviceDown: "service down"
        case .serviceHangs: "service hangs"
        case .serviceFails: "service answers 500"
        case .serviceErrs: "service answers with errors"
        case .serverError: "single 500"
        case .timeout: "single time-out"
        case .cutOff: "answer cut off"
        case .garbage: "garbage instead of JSON"
        case .tooManyRequests: "429"
        case .longPause: "long Retry-After"
        case .slowAnswer: "slow answer"
        case .finalAnswer: "error or bad answer for good"
        case .pictureMissing: "picture missing or unreadable"
        case .picturesAway: "folder or host of pictures away"
        case .servicePaused: "service or role paused"
        case .serviceLimited: "service or role limited"
        case .pictureStumbles: "folder or host does not give a picture for a moment"
        }
    }
}

/// A number for each fault.
package struct Tally<Number: Numeric & Sendable>: Sendable {
    private var numbers = Fault.allCases.map { _ in Number.zero }

    package init() {}

    package subscript(fault: Fault) -> Number {
        get { numbers[fault.rawValue] }
        set { numbers[fault.rawValue] = newValue }
    }

    package static func += (left: inout Tally, right: Tally) {
        for fault in Fault.allCases { left[fault] += right[fault] }
    }
}
