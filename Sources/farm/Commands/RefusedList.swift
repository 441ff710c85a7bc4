import Model
import Pipeline

/// What imports have refused, as `farm import --refused` lists it.
struct RefusedList: Sendable {
    private static let page = 500

    let records: any ImportRecords

    /// - Throws: `PortFault`.
    func print(json: Bool) async throws {
        var list = JSONList()
        var table = Table([("refused", .left), ("file", .left), ("reason", .left)])
        var last = 0
        while !Terminal.outputHasNoReader, case let page = try await records.refusals(after: last, limit: Self.page),
            let end = page.last
        {
            last = end.id
            if json {
                Terminal.output(list.next(page.map(\.json.text)), terminator: "")
            } else {
                Terminal.output(table.next(page.map(\.cells)))
            }
        }
        if json {
            Terminal.output(list.end)
        } else if last == 0 {
            Terminal.error("farm: nothing was refused, or all of it was accepted since")
        }
    }
}

extension Refusal {
    fileprivate var cells: [String] {
        [Timestamp.iso8601(refused), place.escapingSteering(), reason.escapingSteering()]
    }
}
