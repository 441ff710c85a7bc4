/// How many rows there are. Triggers keep the counts, whoever writes (docs/decisions/0026-counts.md).
///
/// A statement that adds or removes rows leaves one row in `farm_count_changes` for each kind of row, so nobody waits
/// for anybody. One statement in a thousand folds these changes into `farm_counts` and `farm_rates`. The sum of
/// `farm_counts` and `farm_count_changes` is exact in every snapshot.
enum CountTables {
    /// The number space of the advisory locks for one fold and one recount at a time, beside `Locks.space`.
    static let space = Locks.space + 1
    private static let foldLock = 0
    private static let recountLock = 1

    /// In the order in which they are created.
    static let tables: [(name: String, sql: String)] = [
        // `passed` is true for results with the status success, for postprocessing rows with any status but error, and
        // for rows of other tables.
        (
            "farm_counts",
            """
            CREATE TABLE IF NOT EXISTS farm_counts (
                relation TEXT NOT NULL, service TEXT, passed BOOLEAN NOT NULL, amount BIGINT NOT NULL,
                UNIQUE NULLS NOT DISTINCT (relation, service, passed))
            """
        ),
        // `added` is when rows of results came in; null for other changes. There is no index, since the table is read
        // as a whole. Empty pages are kept for new rows: returning them would take a lock that writers wait for.
        (
            "farm_count_changes",
            """
            CREATE TABLE IF NOT EXISTS farm_count_changes (
                relation TEXT NOT NULL, service TEXT, passed BOOLEAN NOT NULL, amount BIGINT NOT NULL, added TIMESTAMPTZ)
                WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)
            """
        ),
        // New rows of results, by service and minute.
        (
            "farm_rates",
            """
            CREATE TABLE IF NOT EXISTS farm_rates (
                service TEXT NOT NULL, minute TIMESTAMPTZ NOT NULL, done BIGINT NOT NULL, errors BIGINT NOT NULL,
                PRIMARY KEY (service, minute))
            """
        ),
        // When the counts were last corrected by counting.
        ("farm_recounts", "CREATE TABLE IF NOT EXISTS farm_recounts (counted TIMESTAMPTZ NOT NULL DEFAULT now())"),
        // What workers note about their queues: how many messages wait, and how many jobs each worker did in that
        // minute.
        (
            "farm_progress",
            """
            CREATE TABLE IF NOT EXISTS farm_progress (
                queue TEXT NOT NULL, run UUID NOT NULL, minute TIMESTAMPTZ NOT NULL,
                noted TIMESTAMPTZ NOT NULL DEFAULT now(), waiting BIGINT NOT NULL, done BIGINT NOT NULL,
                PRIMARY KEY (queue, run, minute))
            """
        ),
    ]

    /// The counts, folded or not.
    static let kept = """
        (SELECT relation, service, passed, amount FROM farm_counts
            UNION ALL SELECT relation, service, passed, amount FROM farm_count_changes)
        """

    // MARK: Functions

    /// The bodies of the functions, by name.
    static let functions: [(name: String, returns: String, body: String)] = [
        ("farm_fold_counts", "void", fold), ("farm_count_rows", "trigger", count),
    ]

    /// If another transaction is folding, this one does not wait. In an isolation stricter than read committed, folding
    /// could make somebody's transaction fail.
    private static let fold = """
        IF current_setting('transaction_isolation') <> 'read committed' THEN RETURN; END IF;
        IF NOT pg_try_advisory_xact_lock(\(space), \(foldLock)) THEN RETURN; END IF;
        WITH gone AS (DELETE FROM farm_count_changes RETURNING relation, service, passed, amount, added),
        kept AS (
            INSERT INTO farm_counts (relation, service, passed, amount)
            SELECT relation, service, passed, sum(amount) FROM gone GROUP BY relation, service, passed
            ON CONFLICT (relation, service, passed) DO UPDATE SET amount = farm_counts.amount + excluded.amount)
        INSERT INTO farm_rates (service, minute, done, errors)
        SELECT service, date_trunc('minute', added), sum(amount), coalesce(sum(amount) FILTER (WHERE NOT passed), 0)
        FROM gone WHERE added IS NOT NULL GROUP BY 1, 2
        ON CONFLICT (service, minute)
        DO UPDATE SET done = farm_rates.done + excluded.done, errors = farm_rates.errors + excluded.errors;
        DELETE FROM farm_rates WHERE minute < now() - interval '2 hours';
        """

    private static let count: String = {
        let into = "INSERT INTO farm_count_changes (relation, service, passed, amount"
        func counting(_ kind: String) -> String {
            """
            IF TG_OP = 'UPDATE' THEN
                \(into)) SELECT TG_TABLE_NAME, \(kind), sum(n) FROM (
                    SELECT r.*, 1 AS n FROM farm_rows r UNION ALL SELECT r.*, -1 FROM farm_old_rows r) c
                GROUP BY 2, 3 HAVING sum(n) <> 0;
            ELSE
                \(into), added) SELECT TG_TABLE_NAME, \(kind), CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END,
                    CASE WHEN TG_OP = 'INSERT' AND \(kind.prefix { $0 != "," }) IS NOT NULL THEN now() END
                FROM farm_rows GROUP BY 2, 3;
            END IF;
            """
        }
        return """
            IF TG_OP = 'TRUNCATE' THEN
                \(into)) SELECT relation, service, passed, -sum(amount) FROM \(kept) c
                WHERE relation = TG_TABLE_NAME GROUP BY 1, 2, 3 HAVING sum(amount) <> 0;
            ELSIF TG_TABLE_NAME = 'results' THEN
                \(counting("service, status IS NOT DISTINCT FROM 'success'"))
            ELSIF TG_TABLE_NAME = 'postprocessing' THEN
                \(counting("NULL::text, status IS DISTINCT FROM 'error'"))
            ELSE
                \(into)) SELECT TG_TABLE_NAME, NULL, true, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
                FROM farm_rows HAVING count(*) > 0;
            END IF;
            IF random() < 0.001 THEN PERFORM farm_fold_counts(); END IF;
            RETURN NULL;
            """
    }()

    // MARK: Triggers

    /// All triggers of a table together. Updates of merged boxes or images change no count.
    static let triggers: [(table: String, names: [String], sql: String)] = {
        ["images", "results", "merged_boxes", "consensus", "postprocessing"].map { table in
            let isByStatus = table == "results" || table == "postprocessing"
            let events =
                [("insert", "REFERENCING NEW TABLE AS farm_rows"), ("delete", "REFERENCING OLD TABLE AS farm_rows")]
                + (isByStatus
                    ? [("update", "REFERENCING NEW TABLE AS farm_rows OLD TABLE AS farm_old_rows")] : [])
                + [("truncate", "")]
            let statements = events.map { event, rows in
                """
                CREATE OR REPLACE TRIGGER farm_count_\(event) AFTER \(event.uppercased()) ON \(table)
                \(rows) FOR EACH STATEMENT EXECUTE FUNCTION farm_count_rows()
                """
            }
            return (table, events.map { "farm_count_\($0.0)" }, statements.joined(separator: ";\n"))
        }
    }()

    // MARK: Counting

    /// Corrects the counts. It is one statement and so one snapshot: what others add or remove meanwhile is in changes
    /// that it does not see, and nobody waits.
    static let recount: String = {
        let plain = ["images", "merged_boxes", "consensus"].map {
            "SELECT '\($0)' AS relation, NULL::text AS service, true AS passed, count(*) AS amount FROM \($0)"
        }
        let found =
            (plain + [
                """
                SELECT 'results', service, status IS NOT DISTINCT FROM 'success', count(*) FROM results GROUP BY 2, 3
                """,
                """
                SELECT 'postprocessing', NULL, status IS DISTINCT FROM 'error', count(*) FROM postprocessing GROUP BY 3
                """,
                "SELECT relation, service, passed, -amount FROM \(kept) c",
            ]).joined(separator: "\nUNION ALL ")
        return """
            WITH counted AS (INSERT INTO farm_recounts DEFAULT VALUES)
            INSERT INTO farm_count_changes (relation, service, passed, amount)
            SELECT relation, service, passed, sum(amount) FROM (\(found)) f GROUP BY 1, 2, 3 HAVING sum(amount) <> 0
            """
    }()

    /// Two recounts at once would make the same correction twice.
    static let recountAlone = "SELECT pg_advisory_xact_lock(\(space), \(recountLock))"
}
