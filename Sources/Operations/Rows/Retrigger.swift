import Foundation
import Model
import Pipeline

/// Has images merged and voted on again after the results of some services were deleted.
package struct Retrigger {
    let services: [String]
    let queue: Queue
    /// If boxes may have changed, the merger comes first, and triggers the others.
    private let role: PostProcessing

    /// - Throws: `PortFault`.
    package init(_ services: [String], _ known: ServiceDirectory, _ queue: Queue) async throws {
        self.services = services
        self.queue = queue
        // If nobody names a service any more, it may have been a detector.
        let evidence = services.map { known.service(named: $0)?.evidence ?? .spatial }
        role = evidence.contains(.spatial) ? .merger : .consensus
        try await queue.declare([role.queue])
    }

    /// - Throws: `PortFault`.
    package func run(_ images: [ImageID]) async throws {
        let now = Date()
        try await queue.publish(
            images.map { id in
                let trigger = Trigger(
                    imageID: id, imageFilename: nil, service: services.joined(separator: ","), workerID: "",
                    processedAt: now)
                return Message(queue: role.queue, body: trigger.body)
            })
    }

    /// `12 images are to be merged and voted on again`.
    package func text(_ count: Int) -> String {
        let what = role == .merger ? "merged and voted on" : "voted on"
        return "\(counted(count, "image")) \(count == 1 ? "is" : "are") to be \(what) again: farm up does it"
    }
}
