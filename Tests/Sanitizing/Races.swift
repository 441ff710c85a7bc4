import Foundation
import Synchronization

/// What the thread sanitizer has to report, and what not: scripts/sanitize.sh runs each case and looks.
@main
enum Races {
    nonisolated(unsafe) private static var number = 0
    private static let one = Mutex(())
    private static let other = Mutex(())

    static func main() {
        switch CommandLine.arguments.dropFirst().first {
        case "guarded":
            onTwoThreads { _ in
                one.withLock { _ in count() }
                while one.withLockIfAvailable({ _ in count() }) == nil {}
            }
        case "unguarded": onTwoThreads { _ in count() }
        case "guarded-by-one": onTwoThreads { $0 == 0 ? one.withLock { _ in count() } : count() }
        case "guarded-by-two":
            onTwoThreads { $0 == 0 ? one.withLock { _ in count() } : other.withLock { _ in count() } }
        default: exit(2)
        }
    }

    /// Long enough for the other thread to come and wait.
    private static func count() {
        number += 1
        if number % 16 == 0 { usleep(1000) }
    }

    private static func onTwoThreads(_ step: @escaping @Sendable (Int) -> Void) {
        let threads = (0..<2).map { index in Thread { for _ in 0..<1000 { step(index) } } }
        for thread in threads { thread.start() }
        while !threads.allSatisfy(\.isFinished) { usleep(1000) }
    }
}
