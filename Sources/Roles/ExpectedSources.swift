import Foundation
import Model
import Synchronization

/// Learns from the images of the last seconds which services and roles have news about an image, and so whether more is to be
/// expected about another one.
///
/// Nothing is lost if it errs. A role computes again at the next trigger; at worst it computes once too often, or a second later.
final class ExpectedSources: Sendable {
    /// An image about which there was no news for so many seconds is complete, as far as can be known.
    private static let quiet = 3.0
    /// How many images are remembered. They cost some 200 bytes each.
    private static let most = 4096
    /// From how many complete images it learns.
    private static let sample = 64
    private static let leastSample = 4

    private struct Image: Sendable {
        var sources: Set<String>
        var last: Date
    }

    private struct State: Sendable {
        var images: [ImageID: Image] = [:]
        /// Images in the order of their news. Older places of an image are skipped.
        var order: [(id: ImageID, date: Date)] = []
        var complete: [Set<String>] = []
        /// What at least half of the complete images have.
        var expected: Set<String> = []
    }

    private let state = Mutex(State())

    /// Whether some source that others have had news from is missing, with what is known about this image.
    func isMissing(from sources: Set<String>, of image: ImageID) -> Bool {
        state.withLock { state in
            let known = state.images[image]?.sources ?? []
            return !state.expected.allSatisfy { sources.contains($0) || known.contains($0) }
        }
    }

    /// Remembers whose news has been taken into account.
    func note(_ images: [TriggeredImage], at now: Date) {
        state.withLock { state in
            for image in images {
                let known = state.images[image.image.id]?.sources ?? []
                state.images[image.image.id] = Image(sources: known.union(image.sources), last: now)
                state.order.append((image.image.id, now))
            }
            learn(&state, now)
        }
    }

    private func learn(_ state: inout State, _ now: Date) {
        var passed = 0
        for (id, date) in state.order {
            let isOver = abs(now.timeIntervalSince(date)) > ExpectedSources.quiet
            guard isOver || state.order.count - passed > ExpectedSources.most else { break }
            passed += 1
            guard let image = state.images[id], image.last == date else { continue }
            state.images[id] = nil
            if isOver { state.complete.append(image.sources) }
        }
        guard passed > 0 else { return }
        state.order.removeFirst(passed)
        state.complete.removeFirst(max(0, state.complete.count - ExpectedSources.sample))
        guard state.complete.count >= ExpectedSources.leastSample else { return }
        let counts = state.complete.joined().reduce(into: [:]) { $0[$1, default: 0] += 1 }
        state.expected = Set(counts.filter { 2 * $0.value >= state.complete.count }.keys)
    }
}
