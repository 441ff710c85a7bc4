import Foundation
import Model
import Monitoring
import Pipeline

/// One process's way to the heartbeats.
struct DatabaseHeartbeats: HeartbeatStore {
    let database: Database
    let process: SimulatedProcess

    func record(_ heartbeat: Heartbeat) async throws {
        try await process.exchange(.heartbeats, "heartbeat", lost: .heartbeatLost, unconfirmed: .heartbeatLost) {
            let now = database.now
            database.write { $0.add(heartbeat, at: now) }
        }
    }

    func report(_ windows: MonitorWindows) async throws -> MonitorReport {
        MonitorDigest(
            database.tables.heartbeats, windows: HeartbeatWindows(windows, now: database.now)
        ).report
    }
}

extension Database.Tables {
    /// Rows of one worker; beyond, it overwrites its oldest.
    private static let heartbeatLimit = 1000

    mutating func add(_ heartbeat: Heartbeat, at moment: Date) {
        let workerID = DatabaseStore.cut(heartbeat.workerID, to: 50)
        let own = heartbeats.indices.filter { heartbeats[$0].workerID == workerID }
        if own.count >= Self.heartbeatLimit,
            let oldest = own.min(by: { heartbeats[$0].timestamp < heartbeats[$1].timestamp })
        {
            heartbeats.remove(at: oldest)
        }
        heartbeats.append(
            StoredHeartbeat(
                timestamp: moment, workerID: workerID, serviceName: DatabaseStore.cut(heartbeat.serviceName, to: 50),
                nodeHostname: DatabaseStore.cut(heartbeat.nodeHostname, to: 50), status: heartbeat.status.rawValue,
                jobsCompleted: heartbeat.jobsCompleted, jobsPerMinute: heartbeat.jobsPerMinute,
                errorMessage: heartbeat.errorMessage))
    }
}
