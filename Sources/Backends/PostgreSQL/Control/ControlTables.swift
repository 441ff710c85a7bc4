import Foundation
import Pipeline

/// How operators steer the farm, and what they have done (docs/decisions/0027-control.md).
enum ControlTables {
    static let tables: [(name: String, sql: String)] = [
        // What is set for a service or role; rate_limit is in jobs per second. While it is paused, set_by and set_at tell of the
        // pause.
        (
            "farm_control",
            """
            CREATE TABLE IF NOT EXISTS farm_control (
                service TEXT PRIMARY KEY, paused BOOLEAN NOT NULL DEFAULT false, rate_limit FLOAT8, concurrency INT,
                until TIMESTAMPTZ, reason TEXT, set_by TEXT NOT NULL, set_at TIMESTAMPTZ NOT NULL DEFAULT now(),
                revision BIGINT NOT NULL)
            """
        ),
        // The tokens of each rate limit, as of a moment.
        (
            "farm_tokens",
            """
            CREATE TABLE IF NOT EXISTS farm_tokens (
                service TEXT PRIMARY KEY, tokens FLOAT8 NOT NULL, refilled TIMESTAMPTZ NOT NULL) WITH (fillfactor = 50)
            """
        ),
        (
            "farm_audit",
            """
            CREATE TABLE IF NOT EXISTS farm_audit (
                audit_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now(),
                who TEXT NOT NULL, act TEXT NOT NULL, filter TEXT NOT NULL, count BIGINT NOT NULL)
            """
        ),
    ]

    // MARK: Statements

    /// The server's clock, after whatever the transaction has waited for.
    private static let clock = "extract(epoch FROM clock_timestamp())"

    static let now = Statement("SELECT \(clock)")

    private static let select = """
        SELECT service, paused AND (until IS NULL OR until > clock_timestamp()), rate_limit, concurrency,
            extract(epoch FROM until), reason, set_by, extract(epoch FROM set_at), revision FROM farm_control
        """

    /// All that is set.
    static let all = Statement(select)

    static func rows(of services: [String]) -> Statement {
        Statement("\(select) WHERE service = ANY($1::text[])", .texts(services))
    }

    static func add(_ entry: AuditEntry) -> Statement {
        Statement(
            """
            INSERT INTO farm_audit (at, who, act, filter, count)
            VALUES (clock_timestamp(), $1::text, $2::text, $3::text, $4::bigint)
            """, .text(entry.who), .text(entry.act), .text(entry.filter), .integer(entry.count))
    }

    static func write(_ controls: [ServiceControl]) -> Statement {
        Statement(
            """
            INSERT INTO farm_control (service, paused, rate_limit, concurrency, until, reason, set_by, set_at, revision)
            SELECT service, paused <> 0, rate_limit, nullif(concurrency, 0), to_timestamp(until), reason, set_by,
                to_timestamp(set_at), revision
            FROM unnest($1::text[], $2::bigint[], $3::float8[], $4::bigint[], $5::float8[], $6::text[], $7::text[],
                $8::float8[], $9::bigint[])
                AS c(service, paused, rate_limit, concurrency, until, reason, set_by, set_at, revision)
            ON CONFLICT (service) DO UPDATE SET (paused, rate_limit, concurrency, until, reason, set_by, set_at, revision) =
                (excluded.paused, excluded.rate_limit, excluded.concurrency, excluded.until, excluded.reason,
                excluded.set_by, excluded.set_at, excluded.revision)
            """,
            .texts(controls.map(\.service)), .integers(controls.map { $0.isPaused ? 1 : 0 }),
            .doubles(controls.map { $0.rateLimit ?? .nan }), .integers(controls.map { $0.concurrency ?? 0 }),
            .doubles(controls.map { $0.until?.timeIntervalSince1970 ?? .nan }), .texts(controls.map(\.reason)),
            .texts(controls.map(\.setBy)), .doubles(controls.map(\.setAt.timeIntervalSince1970)),
            .integers(controls.map(\.revision)))
    }

    // MARK: Tokens

    static func makeBucket(_ service: String) -> Statement {
        Statement(
            """
            INSERT INTO farm_tokens (service, tokens, refilled)
            SELECT service, 1, clock_timestamp() FROM farm_control WHERE service = $1::text AND rate_limit IS NOT NULL
            ON CONFLICT DO NOTHING
            """, .text(service))
    }

    /// Locks the bucket until the transaction ends.
    static func bucket(_ service: String) -> Statement {
        Statement(
            """
            SELECT t.tokens, extract(epoch FROM t.refilled), c.rate_limit FROM farm_tokens t
            JOIN farm_control c ON c.service = t.service AND c.rate_limit IS NOT NULL
            WHERE t.service = $1::text FOR UPDATE OF t
            """, .text(service))
    }

    static func write(_ bucket: TokenBucket, of service: String) -> Statement {
        Statement(
            """
            UPDATE farm_tokens SET (tokens, refilled) = (($2::float8[])[1], to_timestamp(($2::float8[])[2]))
            WHERE service = $1::text
            """, .text(service), .doubles([bucket.tokens, bucket.refilled.timeIntervalSince1970]))
    }
}

extension ServiceControl {
    /// - Parameter row: as `ControlTables.all` has it.
    init(_ row: Row) {
        self.init(service: row.text(0) ?? "")
        isPaused = row.flag(1)
        if isPaused { (until, reason) = (row.time(4), row.text(5)) }
        (rateLimit, concurrency) = (row.real(2), row.integer(3))
        (setBy, setAt, revision) = (row.text(6) ?? "", row.time(7) ?? .distantPast, row.integer(8) ?? 0)
    }
}
