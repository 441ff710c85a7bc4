import Doubles
import Foundation
import Logging
import Harmony
import Model
import Pipeline
import Roles

/// What must hold after a run and does not.
package struct Violation: Sendable, Equatable {
    package var invariant: String
    package var detail: String

    package init(_ invariant: String, _ detail: String) {
        self.invariant = invariant
        self.detail = detail
    }
}

/// What must hold when all faults have ended, all is done and every process has ended.
struct Invariants: Sendable {
    let farm: Farm
    /// The jobs whose publishing was confirmed.
    let confirmed: [UUID]
    let director: SimulatedProcess

    private var album: Album { farm.album }
    private var plan: Plan { farm.conditions.plan }

    func violations() async throws -> [Violation] {
        let tables = farm.database.tables
        let jobs = farm.broker.jobs
        return results(of: jobs, tables) + submissions(jobs) + deadLetters(of: jobs, tables) + leftovers(tables)
            + enrichments(tables)
            + pauses() + (try await sequential(tables))
    }

    private func pauses() -> [Violation] {
        farm.processes.flatMap { process in
            process.orders.broken.map { Violation("no call in a pause", "\(process.name): \($0)") }
        }
    }

    // MARK: Results

    private func results(of jobs: [Job], _ tables: Database.Tables) -> [Violation] {
        let rows = Dictionary(tables.jobs.map { ($0.key.job, $0.value) }) { $0 + $1 }
        var violations: [Violation] = []
        for job in Set(confirmed).union(jobs.map(\.jobID)).sorted(by: { $0.uuidString < $1.uuidString }) {
            let count = rows[job]?.count ?? 0
            if count == 1 { continue }
            violations.append(Violation("one result per job", "job \(job.text) has \(count) rows"))
        }
        for row in tables.results.values.joined() where row.status == .success {
            if row.data != album.answer(row.service, row.imageID) {
                violations.append(
                    Violation("one result per job", "image \(row.imageID): not what \(row.service) answered"))
            }
        }
        return violations
    }

    /// A window leaves nothing out, and submits nothing as two jobs. The encore submits image 1 once more.
    private func submissions(_ jobs: [Job]) -> [Violation] {
        guard plan.window != nil else { return [] }
        var violations: [Violation] = []
        for service in plan.primaries {
            for picture in album.pictures {
                let id = picture.image.id
                let count = Set(jobs.filter { $0.imageID == id && $0.serviceName == service }.map(\.jobID)).count
                if count == (plan.hasEncore && id == 1 ? 2 : 1) { continue }
                violations.append(Violation("each job submitted once", "image \(id) has \(count) jobs of \(service)"))
            }
        }
        return violations
    }

    // MARK: Dead letters

    private func deadLetters(of jobs: [Job], _ tables: Database.Tables) -> [Violation] {
        let reasons = Set(FailureKind.allCases.map(\.rawValue) + ["bad_message", "unknown_image", "refused"])
        var violations: [Violation] = []
        func wrong(_ detail: String) { violations.append(Violation("each dead letter with its reason", detail)) }
        var buried: Set<UUID> = []
        for (queue, dead) in farm.broker.dead {
            let letter = dead.letter
            if !reasons.contains(letter.reason) || letter.message.isEmpty || letter.workerID.isEmpty {
                wrong("\(queue): \(letter)")
            }
            guard let job = dead.parcel.job else { continue }
            buried.insert(job.jobID)
            if letter.reason == "refused", album.picture(job.imageID)?.flaws[job.serviceName] != .refused {
                wrong("\(queue): a state of the store was taken for a fault of the answer: \(letter.message)")
            }
            guard FailureKind(rawValue: letter.reason) != nil else { continue }
            let row = tables.row(of: job)
            if row?.status != .error {
                wrong("\(queue): \(letter.reason), but job \(job.jobID.text) has \(row?.status.rawValue ?? "no row")")
            } else if row?.data["error"]?["kind"]?.stringValue != letter.reason {
                wrong("\(queue): \(letter.reason), but the row of job \(job.jobID.text) says \(row?.data.text ?? "")")
            }
        }
        for job in jobs where tables.row(of: job)?.status == .error && !buried.contains(job.jobID) {
            wrong("job \(job.jobID.text) of \(job.serviceName) failed and has no dead letter")
        }
        for fault in [(Fault.notAMessage, "bad_message"), (.unknownImage, "unknown_image")] {
            let count = farm.broker.dead.count { $0.parcel.letter.reason == fault.1 }
            if count < farm.conditions.tally[fault.0] { wrong("a message for \(fault.1) is in no dead queue") }
        }
        return violations
    }

    // MARK: Leftovers

    private func leftovers(_ tables: Database.Tables) -> [Violation] {
        var violations: [Violation] = []
        if !farm.broker.isQuiet { violations.append(Violation("nothing in flight", farm.broker.remains)) }
        let done = Set(tables.jobs.keys.map(\.job))
        let begun = tables.begun.filter { done.contains($0.job) }
        if !begun.isEmpty { violations.append(Violation("nothing in flight", "begun and done: \(begun)")) }
        if !farm.database.locks.isFree { violations.append(Violation("nothing in flight", "an image is locked")) }
        if farm.broker.takers > 0 { violations.append(Violation("no task leaked", "\(farm.broker.takers) consumers")) }
        let sleepers = farm.conditions.scheduler.sleepers
        if sleepers > 0 { violations.append(Violation("no task leaked", "\(sleepers) tasks sleep")) }
        let held = farm.broker.longestHeld
        if held > .seconds(1800) {
            violations.append(Violation("no delivery is held for long", "one was for \(held.seconds) s"))
        }
        return violations
    }

    // MARK: Enrichments

    private func enrichments(_ tables: Database.Tables) -> [Violation] {
        var violations: [Violation] = []
        for picture in album.pictures {
            let id = picture.image.id
            func wrong(_ detail: String) {
                violations.append(Violation("no trigger missing", "image \(id): \(detail)"))
            }
            var wanted: Set<Database.Pair> = []
            for row in tables.boxes[id] ?? [] {
                let services = isPerson(label: row.box.label, emoji: row.box.emoji) ? Enrichment.services : ["colors"]
                wanted.formUnion(services.map { Database.Pair(mergedID: row.mergedID, service: $0) })
            }
            let present = tables.enrichments[id] ?? [:]
            for pair in wanted.subtracting(present.keys) { wrong("\(pair.service) of box \(pair.mergedID) is missing") }
            for pair in Set(present.keys).subtracting(wanted) {
                wrong("\(pair.service) of box \(pair.mergedID) is of no box")
            }
            for row in present.values where row.status != .error {
                guard let crop = Box(row.data["crop"]) else {
                    wrong("no crop in \(row.data.text)")
                    continue
                }
                let answer = album.answer(row.service, crop: Array("\(crop.x),\(crop.y)".utf8))
                let count = answer["predictions"]?.arrayValue?.count ?? 0
                if (row.status == .empty) != (count == 0) || row.data["predictions"]?.arrayValue?.count != count {
                    wrong("\(row.service) answered \(answer.text), stored is \(row.data.text)")
                }
            }
        }
        return violations
    }

    // MARK: The sequential run

    /// What merger and consensus make of the same results, one image after another, with nothing in between.
    private func sequential(_ tables: Database.Tables) async throws -> [Violation] {
        var bare = tables
        (bare.boxes, bare.consensus) = ([:], [:])
        let database = Database(farm.conditions, album: album, tables: bare)
        let store = DatabaseStore(database: database, process: director)
        let identity = RoleIdentity(workerID: "reference", serviceName: "reference", nodeHostname: "reference")
        let merger = Merger(
            identity: identity, detectors: plan.detectors, merging: MergingOptions(), store: store, time: director,
            log: Logger(label: "invariants") { _ in SwiftLogNoOpLogHandler() })
        let consensusRole = ConsensusRole(
            identity: identity, evidence: [:], voting: VotingOptions(), store: store, time: director)
        var violations: [Violation] = []
        for picture in album.pictures {
            let id = picture.image.id
            _ = try await merger.commit([(TriggeredImage(picture.image), ())])
            let (expected, actual) = (database.tables.boxTexts(id), tables.boxTexts(id))
            if expected != actual {
                violations.append(
                    Violation("boxes as in a sequential run", "image \(id): \(actual), sequentially \(expected)"))
            }
            // Boxes keep their ids over the run, and with them the enrichments that the vote rests on.
            database.write { $0.boxes[id] = tables.boxes[id] }
            _ = try await consensusRole.commit([(TriggeredImage(picture.image), ())])
            let (vote, stored) = (database.tables.consensus[id], tables.consensus[id])
            if vote != stored {
                violations.append(
                    Violation(
                        "consensus as in a sequential run",
                        "image \(id): \(stored?.data.text ?? "none"), sequentially \(vote?.data.text ?? "none")"))
            }
        }
        return violations
    }
}

extension Database.Tables {
    fileprivate func row(of job: Job) -> StoredResult? {
        let id = jobs[Database.Key(image: job.imageID, job: job.jobID)]?.first
        return results[job.imageID]?.first { $0.resultID == id }
    }

    fileprivate func boxTexts(_ image: ImageID) -> [String] { (boxes[image] ?? []).map(\.data.text).sorted() }
}

extension Broker.Parcel {
    fileprivate var job: Job? { try? Job(body: message.body, queue: message.queue, service: "") }
}
