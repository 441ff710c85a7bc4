import Foundation
import Model
import Pipeline

/// What indexing some images writes.
struct IndexWriting: Sendable {
    private struct Entry {
        var facts: ImageFacts
        var version: ImageVersion
        var state: UUID
        var tags: [(tag: String, value: Double)]
    }

    private let entries: [Entry]
    /// Images that are gone.
    private let gone: [ImageID]
    private let marks: [String: Int]

    init(_ facts: [ImageFacts], _ work: IndexWork) {
        let known = Dictionary(facts.map { ($0.imageID, $0) }) { first, _ in first }
        entries = work.images.compactMap { version in
            known[version.imageID].map {
                Entry(facts: $0, version: version, state: IndexWriting.key(of: $0.standing), tags: $0.tags)
            }
        }
        gone = work.images.map(\.imageID).filter { known[$0] == nil }
        marks = work.marks
    }

    private static func key(of standing: ImageStanding) -> UUID {
        UUID(namespace: .farm, name: standing.json.bytes)
    }

    /// Takes the lock, makes states and tags known; the last three answer their ids, and the tags that the images have.
    var reading: [Statement] {
        let states = Dictionary(entries.map { ($0.state, StorableJSON.mended($0.facts.standing.json)) }) { first, _ in
            first
        }
        let keys = Array(states.keys)
        let tags = Array(Set(entries.flatMap { $0.tags.map(\.tag) }))
        return [
            Statement("SELECT pg_advisory_xact_lock(\(IndexTables.space), 0)"),
            // Not only ON CONFLICT, which draws an id for what is known.
            Statement(
                """
                INSERT INTO farm_image_states (key, standing) SELECT n.key, n.standing
                FROM unnest($1::uuid[], $2::jsonb[]) AS n(key, standing)
                WHERE NOT EXISTS (SELECT 1 FROM farm_image_states s WHERE s.key = n.key) ON CONFLICT DO NOTHING
                """, .uuids(keys), .json(keys.compactMap { states[$0] })),
            Statement(
                """
                INSERT INTO farm_image_tags (tag) SELECT n.tag FROM unnest($1::text[]) AS n(tag)
                WHERE NOT EXISTS (SELECT 1 FROM farm_image_tags t WHERE t.tag = n.tag) ON CONFLICT DO NOTHING
                """, .texts(tags)),
            Statement("SELECT key, state_id FROM farm_image_states WHERE key = ANY($1::uuid[])", .uuids(keys)),
            Statement("SELECT tag, tag_id FROM farm_image_tags WHERE tag = ANY($1::text[])", .texts(tags)),
            Statement(
                """
                SELECT f.image_id, t.tag_id FROM farm_indexed_images f CROSS JOIN LATERAL unnest(f.tags) AS t(tag_id)
                WHERE f.image_id = ANY($1::bigint[])
                """, .integers(entries.map(\.facts.imageID) + gone)),
        ]
    }

    /// - Parameter answers: the last three of `reading`.
    func statements(_ answers: [Rows]) -> [Statement] {
        let states = Dictionary(answers[0].map { ($0.text(0) ?? "", $0.integer(1) ?? 0) }) { first, _ in first }
        let tagIDs = Dictionary(answers[1].map { ($0.text(0) ?? "", $0.integer(1) ?? 0) }) { first, _ in first }
        var old = answers[2].map { TagKey(tag: $0.integer(1) ?? 0, image: $0.integer(0) ?? 0) }
        var rows = IndexColumns()
        var tags: [TagKey: Double] = [:]
        for entry in entries {
            guard let state = states[entry.state.text] else { continue }
            let own = entry.tags.compactMap { tag in tagIDs[tag.tag].map { (id: $0, value: tag.value) } }
            for tag in own { tags[TagKey(tag: tag.id, image: entry.facts.imageID)] = tag.value }
            rows.append(entry.facts, entry.version, state: state, tags: own.map(\.id))
        }
        old.removeAll { tags[$0] != nil }
        return [removal(of: old), removalOfGone] + insertion(of: tags) + [rows.statement, marking] + tidying
    }

    private struct TagKey: Hashable {
        var tag: Int
        var image: ImageID
    }

    private func removal(of keys: [TagKey]) -> Statement {
        Statement(
            """
            DELETE FROM farm_tagged_images t USING unnest($1::bigint[], $2::bigint[]) AS n(tag_id, image_id)
            WHERE t.tag_id = n.tag_id AND t.image_id = n.image_id
            """, .integers(keys.map(\.tag)), .integers(keys.map(\.image)))
    }

    private var removalOfGone: Statement {
        Statement("DELETE FROM farm_indexed_images WHERE image_id = ANY($1::bigint[])", .integers(gone))
    }

    private func insertion(of tags: [TagKey: Double]) -> [Statement] {
        guard !tags.isEmpty else { return [] }
        let sorted = tags.sorted { ($0.key.tag, $0.key.image) < ($1.key.tag, $1.key.image) }
        return [
            Statement(
                """
                INSERT INTO farm_tagged_images AS t (tag_id, image_id, value)
                SELECT n.tag_id, n.image_id, n.value FROM unnest($1::bigint[], $2::bigint[], $3::float8[])
                    AS n(tag_id, image_id, value)
                ON CONFLICT (tag_id, image_id) DO UPDATE SET value = excluded.value WHERE t.value <> excluded.value
                """, .integers(sorted.map(\.key.tag)), .integers(sorted.map(\.key.image)),
                .doubles(sorted.map(\.value)))
        ]
    }

    /// Images that have lost rows since they were read stay to be looked at: what was just written may rest on those rows.
    private var tidying: [Statement] {
        [
            Statement(
                "DELETE FROM farm_index_losses WHERE loss_id <= $1::bigint", .integer(marks["farm_index_losses"] ?? 0)),
            Statement(
                """
                UPDATE farm_indexed_images SET result_id = -1
                WHERE image_id = ANY(ARRAY(SELECT image_id FROM farm_index_losses))
                """),
        ]
    }

    /// Marks only go on, but for that of the looking through, which begins anew.
    private var marking: Statement {
        let names = marks.keys.sorted()
        return Statement(
            """
            INSERT INTO farm_index_marks AS m (relation, mark) SELECT * FROM unnest($1::text[], $2::bigint[])
            ON CONFLICT (relation) DO UPDATE SET mark = CASE WHEN m.relation = '\(IndexTables.verified)' THEN excluded.mark
                ELSE greatest(m.mark, excluded.mark) END
            """, .texts(names), .integers(names.map { marks[$0] ?? 0 }))
    }
}

/// Rows of `farm_indexed_images` as columns.
private struct IndexColumns {
    private var images: [ImageID] = []
    private var states: [Int] = []
    private var votes: [Int] = []
    private var sureness: [Int] = []
    private var confidences: [Double] = []
    private var versions: [ImageVersion] = []
    /// An array of arrays would lose its inner bounds, so each is the text of one.
    private var tags: [String] = []

    mutating func append(_ facts: ImageFacts, _ version: ImageVersion, state: Int, tags: [Int]) {
        images.append(facts.imageID)
        states.append(state)
        votes.append(min(facts.votes, ImageFacts.mostVotes))
        sureness.append(facts.sureness)
        confidences.append(facts.confidence)
        versions.append(version)
        self.tags.append("{\(tags.map(String.init).joined(separator: ","))}")
    }

    var statement: Statement {
        Statement(
            """
            INSERT INTO farm_indexed_images (image_id, state_id, votes, sureness, confidence, boxes, result_id, merged_id,
                consensus_id, tags)
            SELECT image_id, state_id, votes, sureness, confidence, boxes, result_id, merged_id, consensus_id, tags::int[]
            FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::float8[], $6::bigint[], $7::bigint[],
                $8::bigint[], $9::bigint[], $10::text[]) AS n(image_id, state_id, votes, sureness, confidence, boxes,
                result_id, merged_id, consensus_id, tags)
            ON CONFLICT (image_id) DO UPDATE SET state_id = excluded.state_id, votes = excluded.votes,
                sureness = excluded.sureness, confidence = excluded.confidence, boxes = excluded.boxes,
                result_id = excluded.result_id, merged_id = excluded.merged_id, consensus_id = excluded.consensus_id,
                tags = excluded.tags
            """,
            .integers(images), .integers(states), .integers(votes), .integers(sureness), .doubles(confidences),
            .integers(versions.map(\.boxes)), .integers(versions.map(\.resultID)), .integers(versions.map(\.mergedID)),
            .integers(versions.map(\.consensusID)), .texts(tags))
    }
}
