import Foundation
import Synchronization

/// What the thread sanitizer has to report, and what not: scripts/sanitize.sh runs each case and looks.
@main
enum Races {
    /// Unsafe on purpose: it is what the planted races are about, and the compiler would refuse them otherwise.
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

    /// Now and then it takes a while, so that the other thread comes meanwhile, and waits where a Mutex is held: no event
    /// tells that a thread has got there.
    private static func count() {
        number += 1
        if number % 16 == 0 { usleep(1000) }
    }

    private static func onTwoThreads(_ step: @escaping @Sendable (Int) -> Void) {
        let ends = DispatchSemaphore(value: 0)
        for index in 0..<2 {
            Thread {
                for _ in 0..<1000 { step(index) }
                ends.signal()
            }.start()
        }
        for _ in 0..<2 { ends.wait() }
    }
}
