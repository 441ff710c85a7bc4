import Foundation
import Model
import Pipeline

/// One process's way to the store. Every method is one transaction: it takes effect at one moment, between two awaits, or
/// not at all.
struct DatabaseStore: ResultStore {
    let database: Database
    let process: SimulatedProcess

    private var conditions: Conditions { database.conditions }

    // MARK: Transactions

    func read<Value: Sendable>(_ what: String, _ query: (Database.Tables) -> Value) async throws -> Value {
        try await process.exchange(.store, what, lost: .storeLost, unconfirmed: .storeLost) { query(database.tables) }
    }

    func write<Value: Sendable>(
        _ what: String, _ change: (inout Database.Tables) -> Value
    ) async throws -> Value {
        try await process.reach(.store, what, .storeLost)
        try await commit()
        let value = database.write(change)
        process.say("commits: \(what)")
        try await process.comeBack(from: .store, what, .commitUnconfirmed)
        return value
    }

    func probe(_ row: PlainRow, of image: ImageID?) async throws {
        try await process.exchange(.store, "probe", lost: .storeLost, unconfirmed: .storeLost) {
            if conditions.plan.plant != .blindProbe { try checkRows() }
        }
    }

    private func checkRows() throws {
        guard conditions.lasts(.rowsRefused) else { return }
        throw PortFault(.refused, place: "store", message: "a sequence is at its end")
    }

    /// The moment in which a transaction ends, some time after it began.
    private func commit() async throws {
        try checkRows()
        if conditions.strikes(.slowCommit, process.name) {
            try await process.pass(conditions.dice.time(around: .seconds(20)))
        } else {
            try await process.travel(.store)
        }
    }

    /// Reads, computes and writes under the images' locks.
    private func rewrite<Draft: Sendable, Value: Sendable>(
        _ what: String, _ images: [ImageID], _ compute: (Database.Tables) -> Draft,
        _ change: (inout Database.Tables, Draft) -> Value
    ) async throws -> Value {
        try await process.reach(.store, what, .storeLost)
        let isLocked = conditions.plan.plant != .noImageLock
        let value = try await database.locks.with(isLocked ? images : []) {
            let draft = compute(database.tables)
            try await commit()
            return database.write { change(&$0, draft) }
        }
        process.say("commits: \(what) \(images)")
        try await process.comeBack(from: .store, what, .commitUnconfirmed)
        return value
    }

    // MARK: Jobs

    func standing(of jobs: [JobKey], workerID: String, patience _: Duration) async throws -> [JobStanding] {
        func standing(_ job: JobKey, _ tables: Database.Tables) -> JobStanding {
            guard let image = tables.images[job.imageID] else { return .unknownImage }
            if let ids = tables.jobs[Database.Key(image: job.imageID, job: job.jobID)],
                let row = tables.results[job.imageID]?.first(where: { $0.resultID == ids.first })
            {
                return .recorded(row.status, error: row.status == .error ? row.data["error"] : nil)
            }
            let own = Database.Begun(job: job.jobID, worker: workerID, process: process.number)
            let deaths = job.redelivered ? tables.begun.count { $0.job == job.jobID && $0 != own } : 0
            return .open(image, deaths: deaths)
        }
        guard jobs.contains(where: \.redelivered) else {
            return try await read("standing") { tables in jobs.map { standing($0, tables) } }
        }
        return try await write("standing of \(jobs.count) jobs") { tables in
            jobs.map { job in
                let standing = standing(job, tables)
                if case .open = standing, job.redelivered {
                    tables.begun.insert(
                        Database.Begun(job: job.jobID, worker: workerID, process: process.number))
                }
                return standing
            }
        }
    }

    func settle(_ jobs: [UUID], workerID: String) async throws {
        try await write("settling \(jobs.count) jobs") { tables in
            for job in jobs {
                tables.begun.remove(Database.Begun(job: job, worker: workerID, process: process.number))
            }
        }
    }

    func record(_ results: [AnalysisResult], patience _: Duration) async throws -> Set<UUID> {
        for result in results where result.status == .success {
            guard database.album.picture(result.imageID)?.flaws[result.service] == .refused else { continue }
            try await process.travel(.store)
            conditions.note(.valueRefused, process.name)
            throw PortFault(.refused, place: "store", message: "\(result.service) of image \(result.imageID)")
        }
        try await process.reach(.store, "recording", .storeLost)
        // As a sequence's, ids are drawn before the commit: a larger one may be visible first.
        let ids = database.write { tables in results.map { _ in tables.newID() } }
        try await commit()
        let created = database.now
        let known = database.write { tables in
            Set(zip(ids, results).filter { !insert($1, $0, created, &tables) }.map(\.1.jobID))
        }
        process.say("commits: \(results.map { "\($0.service) \($0.status) of image \($0.imageID)" })")
        try await process.comeBack(from: .store, "recording", .commitUnconfirmed)
        return known
    }

    /// - Returns: whether the row is new.
    private func insert(_ result: AnalysisResult, _ id: Int, _ created: Date, _ tables: inout Database.Tables) -> Bool {
        let key = Database.Key(image: result.imageID, job: result.jobID)
        tables.begun = tables.begun.filter { $0.job != result.jobID }
        guard tables.images[result.imageID] != nil else { return false }
        guard tables.jobs[key] == nil || conditions.plan.plant == .noIdempotency else { return false }
        tables.jobs[key, default: []].append(id)
        tables.results[result.imageID, default: []].append(
            StoredResult(
                resultID: id, imageID: result.imageID, service: result.service,
                data: (try? JSON(parsing: result.data)) ?? .null, status: result.status,
                processingTime: result.processingTime, created: created))
        return true
    }

    func images(_ ids: [ImageID]) async throws -> [ImageID: Image] {
        try await read("images") { tables in tables.images.filter { ids.contains($0.key) } }
    }

    // MARK: Boxes

    func updateBoxes(
        of images: [ImageID], from services: [String], workerID: String,
        fuse: @Sendable @escaping ([StoredResult], [StoredBox]) -> BoxChanges
    ) async throws -> [ImageID: Int] {
        try await rewrite("boxes", images) { tables -> [ImageID: BoxChanges] in
            images.reduce(into: [:]) { changes, image in
                let results = tables.newest(image) { $0.status == .success && services.contains($0.service) }
                if !results.isEmpty { changes[image] = fuse(results, tables.storedBoxes(image)) }
            }
        } _: { tables, changes in
            for image in changes.keys.sorted() {
                if let changes = changes[image] { DatabaseStore.apply(changes, to: image, &tables) }
            }
            return images.reduce(into: [:]) { $0[$1] = tables.boxes[$1]?.count ?? 0 }
        }
    }

    private static func apply(_ changes: BoxChanges, to image: ImageID, _ tables: inout Database.Tables) {
        var rows = tables.boxes[image] ?? []
        for kept in changes.kept {
            guard let place = rows.firstIndex(where: { $0.mergedID == kept.mergedID }) else { continue }
            rows[place] = Database.BoxRow(mergedID: kept.mergedID, box: kept.box, data: kept.box.json)
        }
        for box in changes.inserted {
            rows.append(Database.BoxRow(mergedID: tables.newID(), box: box, data: box.json))
        }
        let removed = Set(changes.removed)
        rows.removeAll { removed.contains($0.mergedID) }
        tables.boxes[image] = rows
        tables.enrichments[image] = tables.enrichments[image]?.filter { !removed.contains($0.key.mergedID) }
        tables.missing[image] = tables.missing[image]?.filter { !removed.contains($0.mergedID) }
    }

    // MARK: Enrichments

    func enrichmentWork(of images: [ImageID]) async throws -> [EnrichmentWork] {
        try await read("enrichment work") { tables in
            images.compactMap { id in
                tables.images[id].map {
                    EnrichmentWork(
                        image: $0, boxes: tables.storedBoxes(id), present: tables.storedEnrichments(id))
                }
            }
        }
    }

    func recordEnrichments(
        _ rows: [Enrichment], missing: [MissingEnrichment], of images: [ImageID: [Int]]
    ) async throws {
        try await rewrite("enrichments", Array(images.keys)) { _ in
            ()
        } _: { tables, _ in
            for (image, seen) in images {
                let boxes = Set((tables.boxes[image] ?? []).map(\.mergedID))
                tables.enrichments[image] = tables.enrichments[image]?.filter { boxes.contains($0.key.mergedID) }
                tables.missing[image] = tables.missing[image]?.filter {
                    boxes.contains($0.mergedID) && !seen.contains($0.mergedID)
                }
            }
            for row in rows where tables.boxes[row.imageID]?.contains(where: { $0.mergedID == row.mergedID }) == true {
                let pair = Database.Pair(mergedID: row.mergedID, service: row.service)
                let other = tables.enrichments[row.imageID]?[pair]
                guard other == nil || other?.status == .error || row.status != .error else { continue }
                tables.enrichments[row.imageID, default: [:]][pair] = StoredEnrichment(
                    mergedID: row.mergedID, service: row.service, data: row.data, status: row.status)
            }
            for note in missing {
                let pair = Database.Pair(mergedID: note.mergedID, service: note.service)
                let other = tables.enrichments[note.imageID]?[pair]
                guard other == nil || other?.status == .error,
                    tables.boxes[note.imageID]?.contains(where: { $0.mergedID == note.mergedID }) == true
                else { continue }
                tables.missing[note.imageID, default: []].insert(pair)
            }
        }
    }

    func servicesOfMissingEnrichments() async throws -> [String] {
        try await read("what is missing") { tables in
            Set(tables.missing.values.joined().map(\.service)).sorted()
        }
    }

    func imagesMissingEnrichments(of services: [String], after: ImageID, limit: Int) async throws -> [ImageID] {
        try await read("missing enrichments") { tables in
            let images = tables.missing.filter { image, pairs in
                image > after && pairs.contains { services.contains($0.service) }
            }
            return Array(images.keys.sorted().prefix(limit))
        }
    }

    // MARK: Consensus

    func updateConsensus(
        of images: [ImageID], vote: @Sendable @escaping (ImageFindings) -> ConsensusRecord?
    ) async throws {
        try await rewrite("consensus", images) { tables -> [ImageID: ConsensusRecord] in
            images.reduce(into: [:]) { records, image in
                let findings = tables.findings(image)
                if !findings.results.isEmpty { records[image] = vote(findings) }
            }
        } _: { tables, records in
            for image in images { tables.consensus[image] = records[image] }
        }
    }
}
