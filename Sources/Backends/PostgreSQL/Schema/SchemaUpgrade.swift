import Pipeline

/// Brings one database up to date, one box at a time.
enum SchemaUpgrade {
    /// The key of the lock that an upgrade holds: "farm" in ASCII, and which of farm's locks.
    private static let lock = "\(Locks.space), 0"

    /// Tries to become the one that upgrades.
    ///
    /// It asks again and again instead of waiting in the server: a waiting statement holds a snapshot, and building an
    /// index CONCURRENTLY waits for the end of every older snapshot: the two would wait for each other.
    static func tryLock(_ link: Link) throws -> Bool {
        try link.execute("SELECT pg_try_advisory_lock(\(lock))")?.first?.flag(0) ?? false
    }

    static func unlock(_ link: Link) throws { try link.execute("SELECT pg_advisory_unlock(\(lock))") }

    /// Whether anything is missing.
    static func isNeeded(_ link: Link) throws -> Bool {
        try !SchemaPlan(SchemaState(link), place: link.server.place).steps.isEmpty
    }

    /// Under the lock: adds what is missing.
    /// - Returns: what was done, a line each.
    /// - Throws: `ServerFault`; `PortFault` with the SQL for an administrator where this user may not.
    static func run(_ link: Link) throws -> [String] {
        try link.execute("SET statement_timeout = 0")
        defer { _ = try? link.execute(Link.timeouts) }
        let state = try SchemaState(link)
        let plan = try SchemaPlan(state, place: link.server.place)
        do { return try run(plan, link) } catch let fault as ServerFault where fault.state == "42501" {
            let options = link.server.options
            throw PortFault(
                .unusable, place: link.server.place,
                message:
                    "\(options.user) may not bring the tables up to date (\(fault.message)). An administrator runs this in "
                    + "\(options.name), or makes \(options.user) the tables' owner:\n"
                    + plan.script(user: options.user, schema: state.schema ?? "public"))
        }
    }

    private static func run(_ plan: SchemaPlan, _ link: Link) throws -> [String] {
        var done: [String] = []
        for group in plan.steps.chunked(by: { !$0.isAlone && !$1.isAlone && !$0.mayFail && !$1.mayFail }) {
            let told = group.compactMap(\.told)
            if let step = group.first, group.count == 1, step.isAlone || step.mayFail {
                do {
                    try link.execute("SET lock_timeout = 0")
                    try link.execute(step.sql, within: nil)
                } catch let fault as ServerFault
                    where step.mayFail && fault.state == "23505"
                {
                    done.append("not done, another program wrote meanwhile: \(told.joined()); run `farm init` again")
                    continue
                }
            } else {
                try link.rollingBack {
                    // What waits for a table makes all that come after it wait too.
                    try link.execute("SET lock_timeout = 5000")
                    try link.execute("BEGIN")
                    for step in group { try link.execute(step.sql, within: nil) }
                    try link.execute("COMMIT")
                }
            }
            done += told
        }
        return done
    }
}

extension Array {
    /// Runs of neighbours that belong together.
    fileprivate func chunked(by belong: (Element, Element) -> Bool) -> [ArraySlice<Element>] {
        var chunks: [ArraySlice<Element>] = []
        var start = startIndex
        for index in indices.dropFirst() where !belong(self[index - 1], self[index]) {
            chunks.append(self[start..<index])
            start = index
        }
        if start < endIndex { chunks.append(self[start...]) }
        return chunks
    }
}
