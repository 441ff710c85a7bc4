import Foundation
import Model
import Pipeline

/// Whether the store would take the rows of some roles, for processes that run no role and so have no breaker that
/// knows. It asks again at most every few seconds.
package actor StoreState {
    /// Each look uses up ids of PostgreSQL's sequences.
    private static let validity: TimeInterval = 10

    private let store: any ResultStore
    private let rows: [PlainRow]
    private var known: PortFault?
    private var asked = Date.distantPast

    /// - Parameter services: the services whose results are waited for. One of them stands for all.
    package init(_ store: any ResultStore, services: [String], roles: [PostProcessing]) {
        self.store = store
        rows = PlainRow.of(services: Array(services.prefix(1)), roles: roles)
    }

    /// Why the store takes no rows, if somebody has to mend it.
    package func refusal() async -> PortFault? {
        guard Date().timeIntervalSince(asked) > StoreState.validity else { return known }
        asked = Date()
        known = await store.refusal(of: rows)
        return known
    }
}

extension ResultStore {
    /// Why the store would not take one of these rows. Also nil if it is only out of reach or busy.
    package func refusal(of rows: [PlainRow]) async -> PortFault? {
        do { for row in rows { try await probe(row, of: nil) } } catch let fault as PortFault
            where fault.kind != .transient
        {
            return fault
        } catch {}
        return nil
    }
}

extension PlainRow {
    /// The rows that the workers of these services, and these roles, write.
    package static func of(services: [String], roles: [PostProcessing]) -> [PlainRow] {
        services.map { .result(service: $0, workerID: "farm") }
            + roles.map { role in
                switch role {
                case .merger: .box(workerID: "farm")
                case .enricher: .enrichment
                case .consensus: .consensus
                }
            }
    }
}
