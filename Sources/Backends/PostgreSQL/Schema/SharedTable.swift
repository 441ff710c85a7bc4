/// A table that other programs know (spec section 4). It has the columns of the contract first, and farm's own last.
struct SharedTable {
    struct Column {
        var name: String
        /// The declaration, as in CREATE TABLE.
        var declaration: String
        /// The names in pg_type that farm's statements work with. (`format_type` quotes some if quote_all_identifiers
        /// is on.)
        var types: Set<String>
    }

    var name: String
    /// The columns, the key first.
    var columns: [Column]

    var sql: String {
        "CREATE TABLE IF NOT EXISTS \(name) (\(columns.map { "\($0.name) \($0.declaration)" }.joined(separator: ", ")))"
    }
}

extension SharedTable.Column {
    private static let numbers: Set<String> = ["int4", "int8"]
    private static let texts: Set<String> = ["varchar", "text"]

    fileprivate static func key(_ name: String) -> Self {
        .init(name: name, declaration: "SERIAL PRIMARY KEY", types: numbers)
    }

    fileprivate static func integer(_ name: String) -> Self { .init(name: name, declaration: "INT", types: numbers) }

    fileprivate static func text(_ name: String, _ length: Int? = nil) -> Self {
        .init(name: name, declaration: length.map { "VARCHAR(\($0))" } ?? "TEXT", types: texts)
    }

    fileprivate static func json(_ name: String) -> Self { .init(name: name, declaration: "JSONB", types: ["jsonb"]) }

    fileprivate static func seconds(_ name: String) -> Self {
        .init(name: name, declaration: "FLOAT", types: ["float8", "float4", "numeric"])
    }

    fileprivate static func time(_ name: String) -> Self {
        .init(
            name: name, declaration: "TIMESTAMP DEFAULT NOW()",
            types: ["timestamp", "timestamptz"])
    }
}

extension SharedTable {
    static let all = [
        SharedTable(
            name: "images",
            columns: [
                .key("image_id"), .text("image_filename", 255), .text("image_path"), .text("image_url"),
                .text("image_group"),
            ]),
        SharedTable(
            name: "results",
            columns: [
                .key("result_id"), .integer("image_id"), .text("service", 50), .json("data"), .text("status", 20),
                .seconds("processing_time"), .time("result_created"), .text("worker_id", 50),
                .init(name: "job_id", declaration: "UUID", types: ["uuid"]),
            ]),
        SharedTable(
            name: "merged_boxes",
            columns: [
                .key("merged_id"), .integer("image_id"),
                .init(name: "source_result_ids", declaration: "INT[]", types: ["_int4", "_int8"]),
                .json("merged_data"), .text("status", 20), .time("created"), .text("worker_id", 50),
            ]),
        SharedTable(
            name: "consensus",
            columns: [
                .key("consensus_id"), .integer("image_id"), .json("consensus_data"), .seconds("processing_time"),
                .time("consensus_created"),
            ]),
        SharedTable(
            name: "postprocessing",
            columns: [
                .key("postprocessing_id"), .integer("image_id"), .integer("merged_box_id"), .text("service", 50),
                .json("data"), .text("status", 20), .time("result_created"),
            ]),
    ]
}
