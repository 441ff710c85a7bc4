/// One line of `farm check`: what was looked at, whether it is well and, if not, how to mend it.
public struct CheckFinding: Sendable, Equatable {
    /// How serious it is.
    public enum Grade: String, Sendable {
        case ok
        /// Work goes on, but not as one would expect.
        case warning
        /// Something will not work.
        case failed
    }

    /// How serious it is.
    public var grade: Grade
    /// What was looked at, with its place: `RabbitMQ k2:5672`.
    public var subject: String
    /// What was found and, unless it is well, how to mend it; never a secret.
    public var message: String

    package init(_ grade: Grade, _ subject: String, _ message: String) {
        self.grade = grade
        self.subject = subject
        self.message = message
    }

    /// A fault under a subject that already names its place.
    package init(_ fault: PortFault, subject: String) { self.init(.failed, subject, fault.message) }
}

extension CheckFinding {
    /// The seconds by which the clocks of two machines may differ before somebody should know.
    private static let tolerance = 2.0

    /// Compares a server's clock with this machine's, which is read before and after asking.
    /// - Parameters:
    ///   - clock: the server's time in seconds since 1970, as are `before` and `after`.
    /// - Returns: nil if they agree.
    package static func skew(_ subject: String, clock: Double, before: Double, after: Double) -> CheckFinding? {
        let skew = clock - (before + after) / 2
        guard abs(skew) > tolerance + (after - before) / 2 else { return nil }
        let seconds = (abs(skew) * 10).rounded() / 10
        return CheckFinding(
            .warning, subject,
            "its clock is \(seconds) s \(skew > 0 ? "ahead of" : "behind") this machine's: let both follow one time server (chrony, ntpd)"
        )
    }

    /// How many of the ids that a column can hold are used.
    /// - Parameters:
    ///   - column: such as `results.result_id`.
    ///   - used: the last id that was given out.
    ///   - last: the largest possible id.
    ///   - mending: the SQL that makes room.
    /// - Returns: nil while fewer than 80 % are used.
    package static func fill(of column: String, _ used: Double, of last: Double, mending: String, at subject: String)
        -> CheckFinding?
    {
        guard last > 0, used >= last * 0.8 else { return nil }
        // Rounded down, so that 100 % is shown only at the end.
        let count = "\((used / last * 1000).rounded(.down) / 10) % of the ids of \(column) are used"
        guard used < last else {
            return CheckFinding(.failed, subject, "\(count): no row can be added. An administrator runs: \(mending);")
        }
        return CheckFinding(
            .warning, subject, "\(count): before they end an administrator runs, while nobody writes: \(mending);")
    }
}
