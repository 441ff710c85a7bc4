/// The triggers that keep farm's own tables up to date, whoever writes.
enum Triggers {
    static let all = stale + depths + CountTriggers.all

    static func trigger(_ name: String, _ event: String, when condition: String?, _ actions: String) -> String {
        let condition = condition.map { " WHEN \($0)" } ?? ""
        return "CREATE TRIGGER IF NOT EXISTS farm_\(name) AFTER \(event)\(condition) BEGIN \(actions); END"
    }

    // MARK: Stale consensus

    /// Whatever changes the basis of a consensus marks its image, and a new consensus removes the mark. No clocks are
    /// compared, so nothing stale is missed, nothing fresh is listed, and listing costs only what it lists.
    private static let stale: [String] = {
        let events = [("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")]
        let marking = ["results", "merged_boxes", "postprocessing"].flatMap { table in
            events.map { event, row in
                trigger("stale_\(table)_\(event)", "\(event) ON \(table)", when: isImage(row), mark(row))
            }
        }
        let unmarkEmpty = """
            DELETE FROM farm_stale WHERE image_id = OLD.image_id
            AND NOT EXISTS (SELECT 1 FROM results WHERE image_id = OLD.image_id)
            """
        let removal = trigger(
            "stale_consensus_delete", "DELETE ON consensus", when: isImage("OLD"), mark("OLD") + "; " + unmarkEmpty)
        return marking + [removal]
    }()

    private static func isImage(_ row: String) -> String { "typeof(\(row).image_id) = 'integer'" }

    /// Not INSERT OR IGNORE: a conflict clause of the statement that fires the trigger would overrule it.
    private static func mark(_ row: String) -> String {
        """
        INSERT INTO farm_stale SELECT \(row).image_id
        WHERE NOT EXISTS (SELECT 1 FROM farm_stale WHERE image_id = \(row).image_id)
        """
    }

    // MARK: Depths

    /// Counting a million waiting messages at every look would cost more than the work.
    private static let depths = [
        trigger("depths_insert", "INSERT ON farm_queue", when: nil, make("NEW") + "; " + add("NEW", 1)),
        trigger("depths_delete", "DELETE ON farm_queue", when: nil, add("OLD", -1)),
        trigger(
            "depths_update", "UPDATE OF holder ON farm_queue", when: "(OLD.holder IS NULL) <> (NEW.holder IS NULL)",
            add("OLD", -1) + "; " + add("NEW", 1)),
        trigger("depths_bury", "INSERT ON farm_dead", when: nil, make("NEW") + "; " + addDead("NEW", 1)),
        trigger("depths_unbury", "DELETE ON farm_dead", when: nil, addDead("OLD", -1)),
    ]

    private static func make(_ row: String) -> String {
        """
        INSERT INTO farm_depths (queue) SELECT \(row).queue
        WHERE NOT EXISTS (SELECT 1 FROM farm_depths WHERE queue = \(row).queue)
        """
    }

    private static func add(_ row: String, _ step: Int) -> String {
        """
        UPDATE farm_depths SET waiting = waiting + \(step) * (\(row).holder IS NULL),
        held = held + \(step) * (\(row).holder IS NOT NULL) WHERE queue = \(row).queue
        """
    }

    private static func addDead(_ row: String, _ step: Int) -> String {
        "UPDATE farm_depths SET dead = dead + \(step) WHERE queue = \(row).queue"
    }
}
