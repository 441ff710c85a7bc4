/// What a browser keeps in place of a token: when it has logged in, signed with the token. So several processes know it, none
/// has to keep it, and it ends when the token is changed.
struct SessionCookie: Sendable, Equatable {
    static let name = "farm_session"
    /// Seconds until somebody has to log in again.
    static let lifetime = 30 * 86_400

    let mayAct: Bool
    /// Seconds since 1970.
    let issued: Int
    let signature: String

    init(mayAct: Bool, signedBy token: String, now: Int) {
        self.mayAct = mayAct
        issued = now
        signature = Signature.hex(of: SessionCookie.signed(mayAct, now), key: token)
    }

    /// The cookies of a request that farm could have made. There may be several: another farm at a path above
    /// this one has cookies of the same name.
    static func all(headers: [String]) -> [SessionCookie] {
        let pairs = headers.flatMap { $0.split(separator: ";") }.map { $0.split(separator: "=", maxSplits: 1) }
        let values = pairs.filter { $0.count == 2 && $0[0].filter { $0 != " " } == SessionCookie.name }.map { $0[1] }
        // More than any browser has; each costs a signature.
        return values.prefix(8).compactMap(SessionCookie.init)
    }

    private init?(_ value: some StringProtocol) {
        let parts = value.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let issued = Int(parts[1]), issued >= 0 else { return nil }
        switch parts[0] {
        case "act": mayAct = true
        case "read": mayAct = false
        default: return nil
        }
        self.issued = issued
        signature = String(parts[2])
    }

    var value: String { "\(mayAct ? "act" : "read").\(issued).\(signature)" }

    func isSigned(by token: String, now: Int) -> Bool {
        // A clock that was set back a little ends nobody's session.
        guard issued <= now + 3600, now - issued < SessionCookie.lifetime else { return false }
        return Signature.isEqual(signature, Signature.hex(of: SessionCookie.signed(mayAct, issued), key: token))
    }

    private static func signed(_ mayAct: Bool, _ issued: Int) -> String {
        "farm web session, \(mayAct ? "act" : "read"), \(issued)"
    }
}
