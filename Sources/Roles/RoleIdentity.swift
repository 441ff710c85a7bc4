import Foundation
import Logging
import Model
import Pipeline

/// How a role is named in messages, rows and heartbeats.
public struct RoleIdentity: Sendable, Equatable {
    /// The id of the worker, at most 50 characters.
    public var workerID: String
    /// The service, or `bbox_merger`, `spatial_enrichment`, `consensus`.
    public var serviceName: String
    /// The machine, at most 50 characters.
    public var nodeHostname: String

    package init(workerID: String, serviceName: String, nodeHostname: String) {
        self.workerID = workerID
        self.serviceName = serviceName
        self.nodeHostname = nodeHostname
    }

    /// The labels of its log lines.
    public var labels: Logger.Metadata { ["worker": "\(workerID)", "service": "\(serviceName)"] }

    func deadLetter(_ reason: String, _ message: String, tries: Int = 0, at date: Date) -> DeadLetter {
        DeadLetter(reason: reason, message: message, tries: tries, workerID: workerID, firstFailure: date)
    }

    func trigger(_ role: PostProcessing, image: Image, at date: Date) -> Message {
        let trigger = Trigger(
            imageID: image.id, imageFilename: image.filename, service: serviceName, workerID: workerID,
            processedAt: date)
        return Message(queue: role.queue, body: trigger.body, triggers: image.id, source: serviceName)
    }
}
