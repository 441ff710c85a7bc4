import Foundation
import Glibc

/// Which process something is of, so that another one on the same machine can tell whether it still runs.
public struct ProcessIdentity: Sendable, Equatable {
    /// The machine since it was started, and the container in it: a process' number means something only there.
    public var space: String
    /// The process' number.
    public var number: Int

    package init(space: String, number: Int) {
        self.space = space
        self.number = number
    }

    /// This process; nil where the system does not tell.
    public static let own: ProcessIdentity? = {
        guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
            let container = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        else { return nil }
        return ProcessIdentity(
            space: boot.trimmingCharacters(in: .whitespacesAndNewlines) + " " + container, number: Int(getpid()))
    }()

    /// Whether it is known to have ended. Of a process elsewhere nothing is known.
    public var isGone: Bool {
        guard space == ProcessIdentity.own?.space, let number = pid_t(exactly: number), number > 0 else { return false }
        return kill(number, 0) != 0 && errno == ESRCH
    }
}
