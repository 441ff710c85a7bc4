import Foundation
import Logging
import Model
import Pipeline
import Waiting

/// Posts callbacks whose images are done. Nothing is written: what is known of a callback is in its message, and a crash
/// between posting and acknowledging posts it once more, under the same id.
struct CallbackHandler: StageHandler {
    /// What came of one callback.
    enum Outcome: Sendable {
        case delivered
        /// Its image is not done, or its time has not come.
        case early(Duration)
        /// It was posted in vain, and is posted again later.
        case again(Message)
        case dead(reason: String, message: String, tries: Int)
    }

    /// While other messages wait, a message that cannot be posted yet goes to the end of the queue after this time.
    private static let turn = Duration.seconds(10)
    /// And after this time in any case: a broker does not wait for ever.
    private static let longestHeld = 120.0

    private let parts: CallbackParts
    private let options: StageOptions
    private let waiters: ImageWaiters
    private let drain: Drain
    private let rooms: PostingRooms
    private let crowd: QueueCrowd

    private var time: any Timekeeper { parts.time }

    init(_ parts: CallbackParts, _ options: StageOptions, _ waiters: ImageWaiters, _ drain: Drain) {
        self.parts = parts
        self.options = options
        self.waiters = waiters
        self.drain = drain
        rooms = PostingRooms(time: parts.time)
        crowd = QueueCrowd(options.queue, parts.queue, time: parts.time)
    }

    /// Nothing is written, so nothing is ever tried of this.
    var plainRow: PlainRow { .consensus }

    func image(of work: CallbackWork) -> ImageID { work.callback.imageID }

    func admit(_ deliveries: [Delivery]) async throws -> [Admission<UUID, CallbackWork>] {
        deliveries.map { delivery -> Admission<UUID, CallbackWork> in
            do throws(MessageFault) {
                let work = try CallbackWork(delivery)
                return .work(work.callback.id, work)
            } catch {
                return .settled(Verdict(.dead(letter("bad_message", error.description, tries: 0, since: nil))))
            }
        }
    }

    func commit(_ group: [(work: CallbackWork, outcome: Outcome)]) async throws -> [Verdict] {
        group.map { work, outcome -> Verdict in
            switch outcome {
            case .delivered: return Verdict(.done)
            case .early(let wait): return Verdict(.back(after: wait))
            case .again(let message):
                var verdict = Verdict(.done, publish: [message])
                verdict.isReplaced = true
                return verdict
            case .dead(let reason, let message, let tries):
                return Verdict(.dead(letter(reason, message, tries: tries, since: work.firstFailure)))
            }
        }
    }

    func handle(_ work: CallbackWork) async -> Outcome {
        guard await isDue(work) else { return early(min(untilDue(work), .seconds(60))) }
        // What was posted once was done.
        if work.tries == 0, await !isDone(work) {
            let isLate = time.now().timeIntervalSince(work.since) >= parts.policy.patience.seconds
            return isLate && !isOver ? await unlessIncomplete(work) : early(.seconds(5))
        }
        return isOver ? early(.zero) : await post(work)
    }

    /// Whether nothing is posted any more: the process ends, or an operator has paused it.
    private var isOver: Bool { drain.isBegun || Task.isCancelled || options.control.isPaused }

    /// What goes back because nothing is posted any more has to be there for others at once.
    private func early(_ wait: Duration) -> Outcome { .early(isOver ? .zero : wait) }

    private func letter(_ reason: String, _ message: String, tries: Int, since: Date?) -> DeadLetter {
        DeadLetter(
            reason: reason, message: message, tries: tries, workerID: options.workerID,
            firstFailure: since ?? time.now())
    }

    // MARK: Waiting

    /// How long until it may be posted. If the wall clock is set back, the wait does not become longer than the longest
    /// one.
    private func untilDue(_ work: CallbackWork) -> Duration {
        guard let dueAt = work.dueAt else { return .zero }
        let rest = dueAt.timeIntervalSince(time.now())
        return rest > CallbackPolicy.longestRetryAfter.seconds ? .zero : .seconds(max(0, rest))
    }

    /// Waits until it may be posted.
    /// - Returns: false if others need its place.
    private func isDue(_ work: CallbackWork) async -> Bool {
        let begin = time.now()
        while case let rest = untilDue(work), rest > .zero {
            guard await mayStay(since: begin) else { return false }
            _ = try? await drain.until { [time = parts.time] in try await time.sleep(min(rest, CallbackHandler.turn)) }
        }
        return !isOver
    }

    /// Waits until its image is done.
    /// - Returns: false if it is not, and others need its place or its time is over.
    private func isDone(_ work: CallbackWork) async -> Bool {
        let (callback, begin) = (work.callback, time.now())
        while true {
            let left = parts.policy.patience.seconds - time.now().timeIntervalSince(work.since)
            let end = await waiters.wait(
                for: callback.imageID, services: callback.services, jobs: Array(callback.jobs.values),
                goal: callback.until, upTo: min(CallbackHandler.turn, .seconds(max(0, left))))
            if end == .reached { return true }
            guard left > 0, end == .timedOut, await mayStay(since: begin) else { return false }
        }
    }

    private func mayStay(since begin: Date) async -> Bool {
        let held = time.now().timeIntervalSince(begin)
        guard !isOver, held >= 0, held < CallbackHandler.longestHeld else { return false }
        guard held >= CallbackHandler.turn.seconds else { return true }
        return await !crowd.isWaiting()
    }

    /// Its time is over. Only a store that says what is missing ends it.
    private func unlessIncomplete(_ work: CallbackWork) async -> Outcome {
        let callback = work.callback
        guard
            let analysis = try? await parts.store.analysis(of: callback.imageID, expecting: callback.services)
        else { return early(.seconds(5)) }
        let missing = analysis.missing.isEmpty ? "" : ", missing: \(analysis.missing.joined(separator: ", "))"
        let hours = String(format: "%.4g", parts.policy.patience.seconds / 3600)
        return .dead(
            reason: "image_not_done",
            message: "image \(callback.imageID) has not reached \(callback.until.rawValue) in \(hours) h"
                + " (WEBHOOK_WAIT)\(missing)", tries: 0)
    }

    // MARK: Posting

    private func post(_ work: CallbackWork) async -> Outcome {
        let place = parts.poster.place(of: work.callback.url)
        // The answer is read and written within the room: it may be large.
        return await rooms.run(to: place) { await postNow(work, place) } ?? early(.seconds(5))
    }

    private func postNow(_ work: CallbackWork, _ place: String) async -> Outcome {
        let callback = work.callback
        let analysis: ImageAnalysis?
        do {
            analysis = try await parts.store.analysis(of: callback.imageID, expecting: callback.services)
        } catch let fault as PortFault where fault.kind != .transient {
            return judge(.failed("image \(callback.imageID) cannot be read: \(fault)"), of: work, place)
        } catch { return early(.seconds(5)) }
        guard let body = analysis?.json.bytes else {
            return .dead(
                reason: "unknown_image", message: "images has no row with image_id \(callback.imageID)",
                tries: work.tries)
        }
        guard !Task.isCancelled else { return .early(.zero) }
        let began = time.now()
        let headers = parts.key.headers(id: callback.id, at: began, body)
        let answer = await parts.poster.post(body, to: callback.url, headers: headers)
        let seconds = time.now().timeIntervalSince(began)
        if answer != .cancelled { options.events.tell(.webhookPosted(outcome: answer.outcome, seconds: seconds)) }
        return judge(answer, of: work, place)
    }

    private func judge(_ answer: WebhookAnswer, of work: CallbackWork, _ place: String) -> Outcome {
        let (tries, id) = (work.tries + 1, work.callback.imageID)
        let why: String
        var retryAfter: Duration?
        switch answer {
        case .cancelled: return .early(.zero)
        case .answered(200..<300, _):
            options.log.debug("webhook of image \(id) posted to \(place)", metadata: metadata(work))
            return .delivered
        case .answered(410, _):
            return .dead(reason: "receiver_gone", message: "\(place) answered 410, it wants no more", tries: tries)
        case .refused(let reason): return .dead(reason: "address_refused", message: reason, tries: tries)
        case .answered(let status, let wait): (why, retryAfter) = ("\(place) answered \(status)", wait)
        case .failed(let reason): why = reason
        }
        guard tries < parts.policy.tries else {
            return .dead(reason: "receiver_failed", message: why, tries: tries)
        }
        let wait = parts.policy.wait(after: tries, retryAfter: retryAfter, options.randomness)
        options.log.info(
            "webhook of image \(id), try \(tries) of \(parts.policy.tries): \(why); again in \(Int(wait.seconds)) s",
            metadata: metadata(work))
        return .again(work.again(at: time.now(), after: wait))
    }

    private func metadata(_ work: CallbackWork) -> Logger.Metadata {
        ["image": "\(work.callback.imageID)", "webhook": "\(work.callback.id.text)"]
    }
}

extension WebhookAnswer {
    /// The word that metrics have for it.
    fileprivate var outcome: String {
        switch self {
        case .answered(200..<300, _): "success"
        case .answered(let status, _): "\(status / 100)xx"
        case .failed: "failed"
        case .refused: "refused"
        case .cancelled: "cancelled"
        }
    }
}
