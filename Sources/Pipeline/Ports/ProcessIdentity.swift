import Foundation
import Glibc

/// Identifies a process, so that another one on the same machine can tell whether it still runs.
public struct ProcessIdentity: Sendable, Equatable {
    /// The machine since its last start, and the container on it. A process number is meaningful only within these.
    public var space: String
    /// The process number.
    public var number: Int

    package init(space: String, number: Int) {
        self.space = space
        self.number = number
    }

    /// This process. nil if the system does not tell.
    public static let own: ProcessIdentity? = {
        guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
            let container = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        else { return nil }
        return ProcessIdentity(
            space: boot.trimmingCharacters(in: .whitespacesAndNewlines) + " " + container, number: Int(getpid()))
    }()

    /// Whether the process is known to have ended. Nothing is known about processes elsewhere.
    public var isGone: Bool {
        guard space == ProcessIdentity.own?.space, let number = pid_t(exactly: number), number > 0 else { return false }
        return kill(number, 0) != 0 && errno == ESRCH
    }
}
