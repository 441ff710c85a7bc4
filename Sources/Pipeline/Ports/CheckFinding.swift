/// One line of `farm check`: what was looked at, whether it is well, and else the way to mend it.
public struct CheckFinding: Sendable, Equatable {
    /// How serious it is.
    public enum Grade: String, Sendable {
        case ok
        /// Work goes on, but not as somebody would expect.
        case warning
        /// Something will not work.
        case failed
    }

    /// How serious it is.
    public var grade: Grade
    /// What was looked at, with its place: `RabbitMQ k2:5672`.
    public var subject: String
    /// What was found and, unless it is well, the way to mend it; never a secret.
    public var message: String

    package init(_ grade: Grade, _ subject: String, _ message: String) {
        self.grade = grade
        self.subject = subject
        self.message = message
    }

    /// A fault, under a subject that names its place already.
    package init(_ fault: PortFault, subject: String) { self.init(.failed, subject, fault.message) }
}

extension CheckFinding {
    /// How far the clocks of two boxes may be apart before somebody should know.
    private static let tolerance = 2.0

    /// What a server's clock says against this box's, read before and after it was asked.
    /// - Parameters:
    ///   - clock: the server's, in seconds since 1970; likewise `before` and `after`.
    /// - Returns: nil where they agree.
    package static func skew(_ subject: String, clock: Double, before: Double, after: Double) -> CheckFinding? {
        let skew = clock - (before + after) / 2
        guard abs(skew) > tolerance + (after - before) / 2 else { return nil }
        let seconds = (abs(skew) * 10).rounded() / 10
        return CheckFinding(
            .warning, subject,
            "its clock is \(seconds) s \(skew > 0 ? "ahead of" : "behind") this machine's: let both follow one time server (chrony, ntpd)"
        )
    }

    /// How many of the ids that a column can have are given out.
    /// - Parameters:
    ///   - column: `results.result_id`.
    ///   - used: the last one that was given out.
    ///   - last: the largest that can be.
    ///   - mending: the SQL that makes room.
    /// - Returns: nil while fewer than 80 % are.
    package static func fill(of column: String, _ used: Double, of last: Double, mending: String, at subject: String)
        -> CheckFinding?
    {
        guard last > 0, used >= last * 0.8 else { return nil }
        // Rounded down: 100 % is the end.
        let count = "\((used / last * 1000).rounded(.down) / 10) % of the ids of \(column) are used"
        guard used < last else {
            return CheckFinding(.failed, subject, "\(count): no row can be added. An administrator runs: \(mending);")
        }
        return CheckFinding(
            .warning, subject, "\(count): before they end an administrator runs, while nobody writes: \(mending);")
    }
}
