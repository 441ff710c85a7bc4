/// What the sender of a request may do.
enum Access: Sendable, Equatable {
    /// Nothing but log in.
    case none
    /// `isOpen`: no token is needed here.
    case read(isOpen: Bool)
    case act(isOpen: Bool)

    var mayRead: Bool { self != .none }

    var mayAct: Bool { if case .act = self { true } else { false } }

    /// It has shown a token.
    var isLoggedIn: Bool {
        switch self {
        case .none: false
        case .read(let isOpen), .act(let isOpen): !isOpen
        }
    }
}

/// The tokens, and who may do what with them.
struct AccessRules: Sendable {
    /// Who has it may read and act; nil where no token is needed for that, which is on loopback only.
    let token: String?
    /// Who has it may read; nil where there is none.
    let readToken: String?

    /// Where no token is shown.
    private var open: Access {
        switch (token, readToken) {
        case (nil, nil): .act(isOpen: true)
        default: .none
        }
    }

    /// What a token allows.
    func access(token shown: String) -> Access {
        if let token, Signature.isEqual(shown, token) { return .act(isOpen: false) }
        if let readToken, Signature.isEqual(shown, readToken) { return .read(isOpen: false) }
        return .none
    }

    /// What a request allows: by the token that it shows, or by the cookies of logins. A token that is wrong allows nothing,
    /// also where none is needed.
    func access(bearer: String?, cookies: [SessionCookie], now: Int) -> Access {
        if let bearer { return access(token: bearer) }
        func isValid(_ mayAct: Bool, _ token: String?) -> Bool {
            guard let token else { return false }
            return cookies.contains { $0.mayAct == mayAct && $0.isSigned(by: token, now: now) }
        }
        if isValid(true, token) { return .act(isOpen: false) }
        if isValid(false, readToken) { return .read(isOpen: false) }
        return open
    }

    /// The token of an `Authorization` header (RFC 6750); nil where it has none. Other schemes are somebody else's, such as
    /// those of a proxy that has a login of its own.
    static func bearer(_ authorization: String?) -> String? {
        guard let authorization else { return nil }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard let scheme = parts.first, scheme.lowercased() == "bearer" else { return nil }
        return parts.count == 2 ? String(parts[1]) : ""
    }

    /// The cookie for who has shown this token; nil if it is none.
    func cookie(for shown: String, now: Int) -> SessionCookie? {
        switch access(token: shown) {
        case .act: token.map { SessionCookie(mayAct: true, signedBy: $0, now: now) }
        case .read: readToken.map { SessionCookie(mayAct: false, signedBy: $0, now: now) }
        case .none: nil
        }
    }
}
