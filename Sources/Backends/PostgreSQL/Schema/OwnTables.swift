/// The tables that are farm's alone, and the triggers that keep them up to date.
enum OwnTables {
    static let names = tables.map(\.name)

    static let tables: [(name: String, sql: String)] =
        farms + CountTables.tables + ControlTables.tables + SubmissionTable.tables + IndexTables.tables

    /// Columns that the tables of an older farm lack.
    static let columns: [(table: String, name: String, declaration: String)] = [
        ("revision", "BIGINT"), ("version", "TEXT"), ("concurrency", "INT"), ("completed", "BIGINT"),
        ("rate", "DOUBLE PRECISION"), ("last_job", "TIMESTAMPTZ"),
    ].map { ("farm_workers", $0.0, $0.1) }

    private static let farms: [(name: String, sql: String)] = [
        (
            "farm_schema",
            """
            CREATE TABLE IF NOT EXISTS farm_schema (
                version INT PRIMARY KEY, needs INT NOT NULL, applied TIMESTAMPTZ NOT NULL DEFAULT now())
            """
        ),
        // Redelivered jobs that a run of a worker has begun and not settled.
        (
            "farm_begun",
            """
            CREATE TABLE IF NOT EXISTS farm_begun (
                job_id UUID NOT NULL, worker_id TEXT NOT NULL, run UUID NOT NULL, begun_at TIMESTAMPTZ NOT NULL DEFAULT now(),
                PRIMARY KEY (job_id, worker_id, run))
            """
        ),
        // Boxes whose crop service was down.
        (
            "farm_missing_enrichments",
            """
            CREATE TABLE IF NOT EXISTS farm_missing_enrichments (
                image_id INT NOT NULL, merged_id INT NOT NULL, service TEXT NOT NULL, PRIMARY KEY (image_id, merged_id, service))
            """
        ),
        // Images whose consensus is missing or older than what it is based on. Each change adds a row, so that no
        // writer waits for another one's row. Triggers keep it.
        (
            "farm_stale",
            """
            CREATE TABLE IF NOT EXISTS farm_stale (
                image_id INT NOT NULL, mark_id BIGINT GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (image_id, mark_id))
            """
        ),
        // Files, and lines of lists, that an import has refused. The ids show which are new.
        (
            "farm_refused",
            """
            CREATE TABLE IF NOT EXISTS farm_refused (
                refused_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, place TEXT NOT NULL, reason TEXT NOT NULL,
                refused_at TIMESTAMPTZ NOT NULL DEFAULT now())
            """
        ),
        // Live workers: a row for each process and queue. A worker may be silent for `silence` seconds. `space` is the
        // machine and container in which `pid` counts. `revision` is the one of farm_control that it obeys. `rate` is in
        // jobs per second.
        (
            "farm_workers",
            """
            CREATE TABLE IF NOT EXISTS farm_workers (
                run UUID NOT NULL, queue TEXT NOT NULL, worker_id TEXT NOT NULL, service TEXT NOT NULL, host TEXT NOT NULL,
                state TEXT NOT NULL, reason TEXT, silence INT NOT NULL, started TIMESTAMPTZ NOT NULL DEFAULT now(),
                seen TIMESTAMPTZ NOT NULL DEFAULT now(), space TEXT, pid INT, revision BIGINT, version TEXT, concurrency INT,
                completed BIGINT, rate DOUBLE PRECISION, last_job TIMESTAMPTZ, PRIMARY KEY (run, queue))
            """
        ),
    ]

    // MARK: Stale consensus

    /// A setting that is `on` in a transaction that replaces a consensus. Then deleting the old one makes nothing
    /// stale.
    static let voting = "farm.voting"

    /// The functions of the triggers. They run with their owner's rights, so that programs that know nothing of farm's
    /// tables can write. Their search path is fixed, so that nobody can put another table in the way.
    static func functions(schema: String) -> [(name: String, sql: String)] {
        func function(_ name: String, returns type: String = "trigger", _ body: String) -> (String, String) {
            (
                name,
                """
                CREATE OR REPLACE FUNCTION \(name)() RETURNS \(type) LANGUAGE plpgsql SECURITY DEFINER
                SET search_path = \(schema), pg_temp AS $$ BEGIN \(body) END $$
                """
            )
        }
        let counting = CountTables.functions.map { function($0.name, returns: $0.returns, $0.body) }
        let marking = function(
            "farm_mark_stale",
            """
            INSERT INTO farm_stale (image_id) SELECT DISTINCT image_id FROM farm_rows WHERE image_id IS NOT NULL; \
            RETURN NULL;
            """)
        let unvoting = function(
            "farm_mark_unvoted",
            """
            INSERT INTO farm_stale (image_id) SELECT DISTINCT image_id FROM farm_rows r
            WHERE EXISTS (SELECT 1 FROM results WHERE image_id = r.image_id); \
            DELETE FROM farm_stale s USING farm_rows r WHERE s.image_id = r.image_id
            AND NOT EXISTS (SELECT 1 FROM results WHERE image_id = r.image_id); \
            RETURN NULL;
            """)
        return [marking, unvoting] + counting
    }

    /// Whatever changes the basis of a consensus marks its image, whoever writes it. No clocks are compared, so nothing
    /// stale is missed.
    static let triggers: [(name: String, table: String, sql: String)] = {
        func trigger(_ event: String, _ table: String, _ rows: String, _ action: String) -> (String, String, String) {
            let name = "farm_stale_\(event.lowercased())"
            let sql = """
                CREATE OR REPLACE TRIGGER \(name) AFTER \(event) ON \(table)
                REFERENCING \(rows) TABLE AS farm_rows FOR EACH STATEMENT \(action)()
                """
            return (name, table, sql)
        }
        let marking = ["results", "merged_boxes", "postprocessing"].flatMap { table in
            [("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")].map {
                trigger($0, table, $1, "EXECUTE FUNCTION farm_mark_stale")
            }
        }
        let unvoted = trigger(
            "DELETE", "consensus", "OLD",
            "WHEN (current_setting('\(voting)', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION farm_mark_unvoted")
        return marking + [unvoted]
    }()
}
