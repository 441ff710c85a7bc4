import CPostgreSQL

/// A fault of a statement or a connection, as libpq reports it.
struct PostgreSQLFault: Error {
    /// Farm's own state for a server that is too old. PostgreSQL has no class FA.
    static let tooOld = "FA001"

    /// Five characters (PostgreSQL's Appendix A). nil if the server said nothing.
    var state: String?
    /// One line. It never contains a password or the values of a row.
    var message: String
    /// The table, column or constraint, if the server names it.
    var object: String?
    /// The constraint or unique index that refused a row.
    var constraint: String?
    /// Whether the connection cannot be used any more, or there is none.
    var isLost: Bool
    /// What this side needs to connect.
    var lack: Lack?

    enum Lack {
        /// The two sides cannot agree on encryption.
        case tls
        /// The server asks for a password, and none is set.
        case password
    }

    init(state: String? = nil, message: String, object: String? = nil, isLost: Bool) {
        self.state = state
        self.message = message
        self.object = object
        self.isLost = isLost
    }

    /// The error that a statement ended with.
    init(result: OpaquePointer) {
        func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
        let state = field(CPQ_SQLSTATE)
        let parts = [field(CPQ_TABLE), field(CPQ_COLUMN) ?? field(CPQ_CONSTRAINT)].compactMap { $0 }
        self.init(
            state: state, message: field(CPQ_MESSAGE) ?? "no message",
            object: parts.isEmpty ? nil : parts.joined(separator: "."),
            isLost: state.map { PostgreSQLFault.endsConnection($0) } ?? true)
        constraint = field(CPQ_CONSTRAINT)
    }

    /// The error with which a connection failed. libpq reports it only as text. With `PQERRORS_VERBOSE` each error from
    /// the server begins with its severity, two spaces, and its code.
    init(connecting text: String, because lack: Lack?) {
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }
        var distinct: [Substring] = []
        for line in lines.map({ $0.drop(while: \.isWhitespace) }) where !distinct.contains(line) {
            distinct.append(line)
        }
        let state = text.firstMatch(of: #/:  ([0-9A-Z]{5}): /#).map { String($0.1) }
        self.init(state: state, message: distinct.joined(separator: "; "), isLost: true)
        if state == nil { self.lack = lack }
    }

    /// Whether the same transaction may succeed on this or another connection.
    var isWorthRepeating: Bool {
        guard let state else { return isLost && lack == nil }
        return PostgreSQLFault.endsConnection(state) || ["40001", "40P01", "53300"].contains(state)
    }

    /// Who reported it, in whose words, with the code.
    var words: String {
        let code = [state, object].compactMap { $0 }.joined(separator: ", ")
        switch state {
        case PostgreSQLFault.tooOld?: return message
        case nil: return isLost ? "no connection: \(message)" : message
        default: return "the server said: \(message) (\(code))"
        }
    }

    /// A failure of the connection; a server that has become a replica (25006: the name may lead to the new primary);
    /// or a prepared statement that no longer fits because somebody has changed a column or deallocated it (0A000,
    /// 26000).
    private static func endsConnection(_ state: String) -> Bool {
        state.hasPrefix("08") || state.hasPrefix("57P0") || ["0A000", "25006", "25P03", "26000"].contains(state)
    }
}
