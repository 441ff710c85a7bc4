import Foundation
import Pipeline

extension PostgreSQLProbe {
    /// What the database would not take of these rows, in its own words, each once. They are written and taken back.
    static func refusals(of rows: [PlainRow], _ connection: PostgreSQLConnection) throws -> [CheckFinding] {
        let server = connection.server
        // What lacks tables has its line already, and so has a replica.
        guard try PostgreSQLVersion.isCurrent(connection),
            try connection.execute("SELECT pg_is_in_recovery()")?.first?.flag(0) == false
        else { return [] }
        let probe = RowProbe(connection: connection, run: UUID(), place: server.place)
        var findings: [CheckFinding] = []
        for row in rows {
            let fault: PortFault
            do {
                try probe.probe(row, of: nil)
                continue
            } catch let refused as PostgreSQLFault {
                guard !refused.isLost else { throw refused }
                fault = PortFault(refused, server)
            } catch let refused as PortFault {
                fault = refused
            }
            let finding = CheckFinding(
                .failed, server.place, "takes no rows, so no job is taken and no service called: \(fault.message)")
            if !findings.contains(finding) { findings.append(finding) }
        }
        return findings
    }
}
