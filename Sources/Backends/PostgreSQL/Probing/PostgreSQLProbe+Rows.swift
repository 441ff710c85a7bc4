import Foundation
import Pipeline

extension PostgreSQLProbe {
    /// What the database would not take of these rows, in its own words, each once. They are written and taken back.
    static func refusals(of rows: [PlainRow], _ link: Link) throws -> [Finding] {
        let server = link.server
        // What lacks tables has its line already, and so has a replica.
        guard try SchemaVersion.isCurrent(link),
            try link.execute("SELECT pg_is_in_recovery()")?.first?.flag(0) == false
        else { return [] }
        let probe = RowProbe(link: link, run: UUID(), place: server.place)
        var findings: [Finding] = []
        for row in rows {
            let fault: PortFault
            do {
                try probe.probe(row, of: nil)
                continue
            } catch let refused as ServerFault {
                guard !refused.isLost else { throw refused }
                fault = PortFault(refused, server)
            } catch let refused as PortFault {
                fault = refused
            }
            let finding = Finding(
                .failed, server.place, "takes no rows, so no job is taken and no service called: \(fault.message)")
            if !findings.contains(finding) { findings.append(finding) }
        }
        return findings
    }
}
