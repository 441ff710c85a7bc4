import Foundation
import Model
import Waiting

/// Writes what a stage has computed. Finds out whether the store refuses one value or would refuse any.
struct StageCommit<Handler: StageHandler>: Sendable {
    typealias Element = (work: Handler.Work, outcome: Handler.Outcome)

    let options: StageOptions
    let handler: Handler

    private var store: StoreGate { options.store }

    /// Writes the group in one transaction. While the store takes no rows, the answers are held for a while; after that
    /// their jobs go back.
    /// - Returns: one verdict for each element, in their order.
    func commit(_ group: [Element], _ drain: Drain) async throws -> [Verdict] {
        var verdicts = try await attempt(group)
        while verdicts.contains(where: { $0 == nil }), try await options.isStoreBack(drain) {
            let left = verdicts.indices.filter { verdicts[$0] == nil }
            for (place, verdict) in zip(left, try await attempt(left.map { group[$0] })) { verdicts[place] = verdict }
        }
        assert(verdicts.count == group.count, "each element has one verdict, also where it was written alone")
        handler.gaveBack(zip(group, verdicts).filter { $1 == nil }.map(\.0.work))
        return verdicts.map { $0 ?? Verdict(.back(after: .zero)) }
    }

    /// - Returns: nil for elements that the store did not take although their values are not at fault.
    private func attempt(_ group: [Element]) async throws -> [Verdict?] {
        guard let first = group.first else { return [] }
        let image = handler.image(of: first.work)
        do {
            return try await write(group)
        } catch let fault as PortFault {
            if fault.kind == .transient {
                store.open(fault, handler.plainRow, of: image)
            } else if try await !store.refuses(handler.plainRow, of: image) {
                // One refused value must not hold up the rest.
                return group.count > 1 ? try await separately(group) : [try await alone(first)]
            } else if group.count > 1, try await !store.refuses(handler.plainRow, of: nil) {
                // The store may refuse only rows of that image, for example because a partition is missing.
                return try await separately(group)
            }
            options.events.tell(.storeFailed(fault.kind))
            return group.map { _ in nil }
        }
    }

    private func separately(_ group: [Element]) async throws -> [Verdict?] {
        var verdicts: [Verdict?] = []
        for element in group { verdicts += try await attempt([element]) }
        return verdicts
    }

    private func write(_ group: [Element]) async throws -> [Verdict] {
        let began = options.time.now()
        let verdicts = try await options.retry(StoreGate.patience).run("storing \(group.count) results") {
            try await handler.commit(group)
        }
        assert(verdicts.count == group.count, "a handler gives one verdict for each element")
        options.events.tell(.committed(group.count, seconds: options.time.now().timeIntervalSince(began)))
        let failures = failures(among: verdicts)
        if !failures.isEmpty { options.events.tell(.failuresStored(failures)) }
        // Elements that go back have written nothing.
        if verdicts.contains(where: { !$0.isBack }) { store.worked() }
        return verdicts
    }

    /// The dead jobs that left an error row, counted by the kind of failure. Messages that are no job, and jobs that died
    /// before, are left out.
    private func failures(among verdicts: [Verdict]) -> [String: Int] {
        verdicts.reduce(into: [:]) { counts, verdict in
            guard case .dead(let letter) = verdict.fate, !verdict.isDuplicate,
                FailureKind(rawValue: letter.reason) != nil
            else { return }
            counts[letter.reason, default: 0] += 1
        }
    }

    /// Tries an element again that the store has refused, after it took a plain row. If the store refuses it once more,
    /// it has not recovered in between: the value is at fault, and is buried.
    private func alone(_ element: Element) async throws -> Verdict? {
        do { return try await write([element]).first } catch let fault as PortFault {
            options.events.tell(.storeFailed(fault.kind))
            let image = handler.image(of: element.work)
            guard fault.kind != .transient else {
                store.open(fault, handler.plainRow, of: image)
                return nil
            }
            // By now the store may refuse any row.
            guard try await !store.refuses(handler.plainRow, of: image) else { return nil }
            return try await bury(element.work, fault)
        }
    }

    private func bury(_ work: Handler.Work, _ fault: PortFault) async throws -> Verdict? {
        if let outcome = handler.refusal(of: work, fault) {
            do { return try await write([(work, outcome)]).first } catch let second as PortFault {
                guard second.kind != .transient else {
                    store.open(second, handler.plainRow, of: handler.image(of: work))
                    return nil
                }
                // By now the store may refuse any row.
                guard try await !store.refuses(handler.plainRow, of: handler.image(of: work)) else { return nil }
                options.log.warning(
                    "not even an error row is taken: \(second)", metadata: ["image": "\(handler.image(of: work))"])
            }
        }
        let letter = DeadLetter(
            reason: "refused", message: String(fault.description.prefix(500)), tries: 1, workerID: options.workerID,
            firstFailure: options.time.now())
        return Verdict(.dead(letter))
    }
}
