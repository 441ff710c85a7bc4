import Foundation
import Model
import Pipeline
import Waiting

/// How merger, enricher and consensus admit triggers. A message that is no trigger, or names no image, is buried with
/// its reason.
struct TriggerAdmission: Sendable {
    let identity: RoleIdentity
    let store: any ResultStore
    let time: any Timekeeper

    func admit(_ deliveries: [Delivery]) async throws -> [Admission<ImageID, TriggeredImage>] {
        let triggers = deliveries.map { delivery in
            Result { () throws(MessageFault) in try Trigger(body: delivery.body) }
        }
        let ids = triggers.compactMap { try? $0.get().imageID }
        let images = try await store.images(Array(Set(ids)).sorted())
        return zip(triggers, deliveries).map { trigger, delivery in
            switch trigger {
            case .failure(let fault):
                .settled(Verdict(.dead(identity.deadLetter("bad_message", fault.description, at: time.now()))))
            case .success(let trigger):
                if let image = images[trigger.imageID] {
                    .work(image.id, TriggeredImage(image, sources: sources(of: trigger, delivery)))
                } else {
                    .settled(Verdict(.dead(identity.unknownImage(trigger.imageID, at: time.now()))))
                }
            }
        }
    }

    private func sources(of trigger: Trigger, _ delivery: Delivery) -> Set<String> {
        guard !trigger.service.isEmpty else { return [] }
        let others = delivery.headers[FarmHeader.sources]?.split(separator: ",").map(String.init) ?? []
        return Set(others + [trigger.service])
    }
}

extension RoleIdentity {
    func unknownImage(_ id: ImageID, at date: Date) -> DeadLetter {
        deadLetter("unknown_image", "images has no row with image_id \(id)", at: date)
    }

    /// The dead letter of a job that means another picture, as whose answer it would be stored.
    func otherImage(_ job: Job, than image: Image, at date: Date) -> DeadLetter {
        // Not the URL, which may contain a secret.
        let wanted = job.imageFilename ?? job.imagePath ?? "another one"
        let found = image.filename ?? image.path ?? "another image"
        return deadLetter(
            "unknown_image",
            "image_id \(image.id) is \(found) here, but the job is of \(wanted): "
                + "was the database restored, or is it another farm's?", at: date)
    }
}
