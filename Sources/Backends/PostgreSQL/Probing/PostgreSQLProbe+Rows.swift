import Foundation
import Pipeline

extension PostgreSQLProbe {
    /// Which of these rows the database would not take, in its own words, without duplicates. They are written and
    /// rolled back.
    static func refusals(of rows: [PlainRow], _ connection: PostgreSQLConnection) throws -> [CheckFinding] {
        let server = connection.server
        // A database without the tables, or a replica, has been reported already.
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
