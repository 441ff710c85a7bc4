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

    /// What the headers of a request allow: a token (RFC 6750) or the cookie of a login. A token that is wrong allows
    /// nothing, also where none is needed.
    func access(authorization: String?, cookie: SessionCookie?, now: Int) -> Access {
        if let authorization {
            let parts = authorization.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { return .none }
            return access(token: String(parts[1]))
        }
        guard let cookie else { return open }
        if cookie.mayAct, let token, cookie.isSigned(by: token, now: now) { return .act(isOpen: false) }
        if !cookie.mayAct, let readToken, cookie.isSigned(by: readToken, now: now) { return .read(isOpen: false) }
        return open
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
