import Foundation
import Model

/// What happens to a delivery, and what is published for it.
public struct Verdict: Sendable {
    /// Where it goes.
    public enum Fate: Sendable {
        /// It is acknowledged.
        case done
        /// It goes to `<queue>.dead`.
        case dead(DeadLetter)
        /// It is available again after this delay, to any worker. Nothing is counted.
        case back(after: Duration)
    }

    /// Where the delivery goes.
    public var fate: Fate
    /// The messages that are published and confirmed before the delivery is settled.
    public var publish: [Message]

    /// The work had been done before, so nothing was done now.
    public var isDuplicate = false
    /// Nothing has come of it yet: one of `publish` takes the place of the delivery, which is acknowledged. It counts as
    /// given back.
    public var isReplaced = false

    /// Whether the delivery goes back, so that nothing has come of it yet.
    var isBack: Bool { if case .back = fate { true } else { false } }

    package init(_ fate: Fate, publish: [Message] = [], isDuplicate: Bool = false) {
        self.fate = fate
        self.publish = publish
        self.isDuplicate = isDuplicate
    }
}

/// What admission decides about a delivery.
public enum Admission<Key: Hashable & Sendable, Work: Sendable>: Sendable {
    /// It is to be handled. Deliveries of one batch with the same key are handled once.
    case work(Key, Work)
    /// It is settled without work.
    case settled(Verdict)
}

/// The part of `Stage` that differs from role to role.
public protocol StageHandler: Sendable {
    associatedtype Key: Hashable & Sendable
    associatedtype Work: Sendable
    associatedtype Outcome: Sendable

    /// Whether a delivery waits, and is admitted again, while another one of its key is handled. A role says so if that
    /// handling changes the result of the admission.
    var handlesOneAtATime: Bool { get }

    /// Whether one piece of work may stand for several deliveries. Then its span has links to theirs, and no parent.
    var coalesces: Bool { get }

    /// Adds what another delivery of the same key tells about the work.
    func add(_ other: Work, to work: inout Work)

    /// Whether more deliveries of the same key are to be expected soon. Then a stage that gathers may hold the work back for a
    /// moment (`Holdback`).
    func expectsMore(_ work: Work) -> Bool

    /// Whether any number of deliveries may be taken now. If not, ask `permits`.
    var takesFreely: Bool { get }

    /// A plain row of the kind that this role writes. A store that refuses it takes nothing from this role.
    var plainRow: PlainRow { get }

    /// Waits until work may be taken, and returns how much. While a circuit breaker is open, it waits.
    /// - Throws: `CancellationError`.
    func permits() async throws -> Int

    /// Decodes and checks a batch. Returns one admission for each delivery, in their order.
    /// - Throws: `PortFault`.
    func admit(_ deliveries: [Delivery]) async throws -> [Admission<Key, Work>]

    /// Notes what has to be noted before this work is handled.
    /// - Returns: the work to handle. nil if it is to be given back, and admitted again.
    /// - Throws: `PortFault`.
    func beginning(_ work: Work) async throws -> Work?

    /// Computes; many calls run at once. It is cancelled when a drain runs out of time. Then it returns soon, with an
    /// outcome that `commit` gives back.
    func handle(_ work: Work) async -> Outcome

    /// Writes a group in one transaction. Returns one verdict for each element, in their order. Repeating it changes
    /// nothing.
    /// - Throws: `PortFault`.
    func commit(_ group: [(work: Work, outcome: Outcome)]) async throws -> [Verdict]

    /// The image whose rows this work writes.
    func image(of work: Work) -> ImageID

    /// When this work was submitted, according to its message.
    func submittedAt(of work: Work) -> String?

    /// What is committed instead of an outcome that the store refuses. It contains nothing of the outcome. nil if there
    /// is nothing to commit.
    func refusal(of work: Work, _ fault: PortFault) -> Outcome?

    /// Tells the handler that these were given back without a commit, since the store took nothing.
    func gaveBack(_ works: [Work])
}

extension StageHandler {
    /// True by default: nothing keeps the role from taking.
    public var takesFreely: Bool { true }

    /// False by default: each delivery is a piece of work of its own.
    public var coalesces: Bool { false }

    /// Adds nothing by default.
    public func add(_ other: Work, to work: inout Work) {}

    /// False by default: nothing is held back.
    public func expectsMore(_ work: Work) -> Bool { false }

    /// False by default: deliveries of one key may be handled side by side.
    public var handlesOneAtATime: Bool { false }

    /// By default there is nothing to note.
    public func beginning(_ work: Work) async throws -> Work? { work }

    /// Returns at once by default, without a limit.
    public func permits() async throws -> Int { .max }

    /// nil by default: the message does not say it.
    public func submittedAt(of work: Work) -> String? { nil }

    /// nil by default: nothing is committed, and the dead letter is all that is left.
    public func refusal(of work: Work, _ fault: PortFault) -> Outcome? { nil }

    /// Does nothing by default.
    public func gaveBack(_ works: [Work]) {}
}
