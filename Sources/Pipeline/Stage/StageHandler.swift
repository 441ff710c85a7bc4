import Foundation
import Model

/// What happens to a delivery.
public struct Verdict: Sendable {
    /// Where it goes.
    public enum Fate: Sendable {
        /// Acknowledged.
        case done
        /// To `<queue>.dead`.
        case dead(DeadLetter)
        /// Available again after this delay, to anybody; nothing is counted.
        case back(after: Duration)
    }

    /// Where the delivery goes.
    public var fate: Fate
    /// Published and confirmed before the delivery is settled.
    public var publish: [Message]

    /// It was done before, so that nothing was done now.
    public var isDuplicate = false

    /// Whether nothing has come of it yet.
    var isBack: Bool { if case .back = fate { true } else { false } }

    package init(_ fate: Fate, publish: [Message] = [], isDuplicate: Bool = false) {
        self.fate = fate
        self.publish = publish
        self.isDuplicate = isDuplicate
    }
}

/// What admission says of a delivery.
public enum Admission<Key: Hashable & Sendable, Work: Sendable>: Sendable {
    /// To be handled. Deliveries of one batch with the same key are handled once.
    case work(Key, Work)
    /// Settled without work.
    case settled(Verdict)
}

/// What is particular to a role in the one loop, `Stage`.
public protocol StageHandler: Sendable {
    associatedtype Key: Hashable & Sendable
    associatedtype Work: Sendable
    associatedtype Outcome: Sendable

    /// Whether a delivery waits, and is admitted again, while another one of its key is handled: what it would be admitted
    /// with is about to change.
    var handlesOneAtATime: Bool { get }

    /// Whether several deliveries may be one work: then it follows from them and is a part of none.
    var coalesces: Bool { get }

    /// Whether any number of deliveries may be taken now; if not, `permits` tells.
    var takesFreely: Bool { get }

    /// What this role writes: a store that refuses a plain one takes nothing from it.
    var plainRow: PlainRow { get }

    /// Waits until work may be taken and says how much; an open circuit breaker lets none pass.
    /// - Throws: `CancellationError`.
    func permits() async throws -> Int

    /// Decodes and checks a batch: one admission per delivery, in their order.
    /// - Throws: `PortFault`.
    func admit(_ deliveries: [Delivery]) async throws -> [Admission<Key, Work>]

    /// Computes; many at once. Cancelled when a drain runs out of time: then it returns soon, with an outcome that
    /// `commit` gives back.
    func handle(_ work: Work) async -> Outcome

    /// Writes a group in one transaction: one verdict per element, in their order. Repeating it changes nothing.
    /// - Throws: `PortFault`.
    func commit(_ group: [(work: Work, outcome: Outcome)]) async throws -> [Verdict]

    /// The image whose rows this work writes.
    func image(of work: Work) -> ImageID

    /// When this work was submitted, as its message says it.
    func submittedAt(of work: Work) -> String?

    /// What is committed in place of an outcome that the store refuses, with nothing of it; nil where nothing is.
    func refusal(of work: Work, _ fault: PortFault) -> Outcome?

    /// These were given back without a commit, as the store took nothing.
    func gaveBack(_ works: [Work])
}

extension StageHandler {
    /// Nothing keeps it from taking: see `StageHandler`.
    public var takesFreely: Bool { true }

    /// Each delivery is a work of its own: see `StageHandler`.
    public var coalesces: Bool { false }

    /// Deliveries of one key may be handled side by side.
    public var handlesOneAtATime: Bool { false }

    /// Waits until work may be taken: see `StageHandler`.
    public func permits() async throws -> Int { .max }

    /// Nobody says: see `StageHandler`.
    public func submittedAt(of work: Work) -> String? { nil }

    /// A dead letter is all that is left of it: see `StageHandler`.
    public func refusal(of work: Work, _ fault: PortFault) -> Outcome? { nil }

    /// Nothing was noted of them: see `StageHandler`.
    public func gaveBack(_ works: [Work]) {}
}
