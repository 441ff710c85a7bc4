import Pipeline

extension PortFault {
    /// What a fault means for the caller: the server's words, and then a guess at the cause, marked as a guess.
    init(_ fault: PostgreSQLFault, _ server: Server) {
        let guess = Guess.cause(of: fault, server.options)
        self.init(
            PortFault.kind(of: fault), place: server.place,
            message: fault.words + (guess.map { "; perhaps \($0)" } ?? ""))
    }

    private static func kind(of fault: PostgreSQLFault) -> Kind {
        guard let state = fault.state else { return fault.lack == nil ? .transient : .unusable }
        switch state {
        case "55P03", "57014": return .transient
        case "25006", PostgreSQLFault.tooOld: return .unusable
        default: break
        }
        switch String(state.prefix(2)) {
        // Some errors that other programs' triggers and functions raise (2F, 38, 39, P0) may be about the values.
        case "21", "22", "23", "2F", "38", "39", "44", "54", "P0": return .refused
        case "08", "25", "40", "53", "55", "57", "58": return .transient
        default: return .unusable
        }
    }
}
