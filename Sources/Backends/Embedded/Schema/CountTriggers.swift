/// Triggers that count the rows of the tables, and the new rows of `results` by the minute, whoever writes them.
/// Counting five million rows each time would take seconds (docs/decisions/0026-counts.md).
enum CountTriggers {
    static let all = results + postprocessing + plain

    /// The name under which result rows without a service are counted.
    static let unnamed = "results without service"

    /// - Parameter row: NEW or OLD.
    private static func key(_ table: String, _ row: String) -> (relation: String, service: String, passed: String) {
        switch table {
        case "results":
            (
                "CASE WHEN \(row).service IS NULL THEN '\(unnamed)' ELSE 'results' END", "coalesce(\(row).service, '')",
                "\(row).status IS 'success'"
            )
        case "postprocessing": ("'postprocessing'", "''", "\(row).status IS NOT 'error'")
        default: ("'\(table)'", "''", "1")
        }
    }

    /// Not INSERT OR IGNORE or ON CONFLICT: a conflict clause of the statement that fires the trigger would overrule
    /// it.
    private static func add(_ table: String, _ row: String, _ step: Int) -> String {
        let key = key(table, row)
        let isRow = "relation = \(key.relation) AND service = \(key.service) AND passed = (\(key.passed))"
        return """
            INSERT INTO farm_counts (relation, service, passed) SELECT \(key.relation), \(key.service), \(key.passed)
            WHERE NOT EXISTS (SELECT 1 FROM farm_counts WHERE \(isRow)); \
            UPDATE farm_counts SET amount = amount + \(step) WHERE \(isRow)
            """
    }

    private static func trigger(_ event: String, _ table: String, when condition: String? = nil, _ actions: String)
        -> String
    {
        let name = event.split(separator: " ")[0].lowercased()
        return Triggers.trigger("count_\(table)_\(name)", "\(event) ON \(table)", when: condition, actions)
    }

    private static func both(_ table: String, _ more: String = "") -> [String] {
        [
            trigger("INSERT", table, add(table, "NEW", 1) + more), trigger("DELETE", table, add(table, "OLD", -1)),
        ]
    }

    private static func changes(_ table: String, of columns: String) -> String {
        trigger(
            "UPDATE OF \(columns)", table, when: "OLD.status IS NOT NEW.status OR OLD.service IS NOT NEW.service",
            add(table, "OLD", -1) + "; " + add(table, "NEW", 1))
    }

    /// If another tool wrote a time that SQLite cannot read, the row counts for the present minute.
    private static let rate: String = {
        let seconds = "coalesce(strftime('%s', NEW.result_created), strftime('%s', 'now'))"
        let minute = "CAST(\(seconds) AS INTEGER) / 60"
        let isRow = "minute = \(minute) AND service = NEW.service"
        return """
            ; INSERT INTO farm_rates (minute, service) SELECT \(minute), NEW.service
            WHERE NEW.service IS NOT NULL AND NOT EXISTS (SELECT 1 FROM farm_rates WHERE \(isRow)); \
            UPDATE farm_rates SET done = done + 1, errors = errors + (NEW.status IS NOT 'success') WHERE \(isRow)
            """
    }()

    private static let results = both("results", rate) + [changes("results", of: "status, service")]
    private static let postprocessing = both("postprocessing") + [changes("postprocessing", of: "status")]
    private static let plain = ["images", "merged_boxes", "consensus"].flatMap { both($0) }
}
