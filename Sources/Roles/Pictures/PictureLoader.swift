import Foundation
import Logging
import Model
import Pictures
import Pipeline
import Synchronization
import Waiting

/// How often a picture is tried if its host or folder does not provide it: MAX_RETRIES, RETRY_DELAY.
public struct PictureTries: Sendable, Equatable {
    /// The number of tries.
    public var limit: Int
    /// The base of the exponential back-off between tries.
    public var delay: Duration

    package init(limit: Int = 3, delay: Duration = .seconds(5)) {
        self.limit = limit
        self.delay = delay
    }
}

/// Why there is no picture.
enum PictureTrouble: Error, Sendable {
    /// It failed for good: another try would not help, or none is left.
    case failed(PictureFault, tries: Int)
    /// Its host or folder is away, or it was waited for long enough. It is tried again later, and nothing is lost.
    case later(source: String, String)
    case cancelled
}

/// Loads pictures for workers and the enricher. Faults that may pass are retried with back-off, and a host or folder
/// that is away is left alone until it is back. There is one for each process, so that all its roles know.
public final class PictureLoader: Sendable {
    /// Where a picture is.
    enum Place: Sendable {
        /// An absolute path.
        case file(String)
        case url(String, source: String)

        /// The key under which its tries are remembered.
        var picture: String {
            switch self {
            case .file(let path): path
            case .url(let url, _): url
            }
        }
    }

    private struct State {
        var breaker = PictureBreaker()
        /// The tries of pictures that are requested again later.
        var tries: [String: Int] = [:]

        /// - Returns: how often the picture was tried.
        mutating func count(_ picture: String, _ counts: Bool) -> Int {
            let tries = (tries[picture] ?? 0) + (counts ? 1 : 0)
            // Forgotten tries are made again.
            if self.tries.count >= PictureLoader.memory { self.tries = [:] }
            if tries > 0 { self.tries[picture] = tries }
            return tries
        }
    }

    /// The longest wait before a try. A longer Retry-After pauses the host.
    static let longestWait = Duration.seconds(60)
    /// The longest time for which a job waits for its picture before a last try, since the call comes after it (spec
    /// section 3).
    private static let patience = Duration.seconds(90)
    private static let memory = 10_000

    let cropper: any ImageCropper
    private let fetcher: any PictureFetcher
    private let rule: PictureTries
    private let time: any Timekeeper
    private let randomness: Randomness
    private let log: Logger
    private let events: EventStream
    private let state = Mutex(State())
    /// Jobs that go back to their queue because their pictures are away.
    let rounds: PostponedPictures

    package init(
        cropper: any ImageCropper, fetcher: any PictureFetcher, tries: PictureTries = PictureTries(),
        time: any Timekeeper, randomness: @escaping Randomness = systemRandomness, log: Logger,
        events: EventStream = .unheard
    ) {
        self.cropper = cropper
        self.fetcher = fetcher
        rule = tries
        self.time = time
        self.randomness = randomness
        self.log = log
        self.events = events
        rounds = PostponedPictures(time: time)
    }

    private var jitter: Double { 0.5 + 0.5 * randomness() }

    // MARK: Pictures

    /// Does something with a file, and tries again if the file cannot be read for a passing reason.
    /// - Parameter heldSince: since when the job is held.
    func file<Value: Sendable>(
        _ path: String, heldSince: Date, _ work: @Sendable () async throws(PictureFault) -> Value
    ) async throws(PictureTrouble) -> Value {
        try await attempt(.file(PathText.absolute(path)), heldSince, work)
    }

    /// The bytes at a URL.
    func fetch(_ url: String, heldSince: Date) async throws(PictureTrouble) -> [UInt8] {
        let place = Place.url(url, source: fetcher.source(of: url))
        return try await attempt(place, heldSince) { [fetcher, events, time] () async throws(PictureFault) in
            let began = time.now()
            do throws(PictureFault) {
                let bytes = try await fetcher.fetch(url)
                events.tell(.pictureFetched(succeeded: true, seconds: time.now().timeIntervalSince(began)))
                return bytes
            } catch {
                events.tell(.pictureFetched(succeeded: false, seconds: time.now().timeIntervalSince(began)))
                throw error
            }
        }
    }

    private func attempt<Value: Sendable>(
        _ place: Place, _ heldSince: Date, _ work: @Sendable () async throws(PictureFault) -> Value
    ) async throws(PictureTrouble) -> Value {
        defer { release(place) }
        while true {
            try await admit(place)
            do throws(PictureFault) {
                let value = try await work()
                answered(place)
                return value
            } catch {
                if Task.isCancelled { throw .cancelled }
                let wait = try judge(error, place, heldSince)
                if wait > .zero, (try? await time.sleep(wait)) == nil { throw .cancelled }
            }
        }
    }

    /// - Returns: how long to wait before the next try.
    private func judge(
        _ fault: PictureFault, _ place: Place, _ heldSince: Date
    ) throws(PictureTrouble) -> Duration {
        guard let absence = fault.absence else {
            answered(place)
            throw .failed(fault, tries: 0)
        }
        let (now, jitter) = (time.now(), jitter)
        let (effect, tries) = state.withLock { state in
            let effect = state.breaker.failed(absence, place.picture, fault.message, at: now, jitter: jitter)
            return (effect, state.count(place.picture, effect.counts))
        }
        if effect.opens {
            log.warning("\(PictureLoader.name(of: absence.source)) are away: \(fault.message); what needs them waits")
        }
        guard tries < rule.limit else {
            forget(place.picture)
            throw .failed(fault, tries: tries)
        }
        let wait = wait(afterTry: tries, absence.retryAfter)
        let held = Duration.seconds(max(0, now.timeIntervalSince(heldSince)))
        guard !effect.isAway, held + wait <= PictureLoader.patience else {
            throw .later(source: absence.source, fault.message)
        }
        log.debug("try \(tries) of \(rule.limit): \(fault.message)")
        return wait
    }

    /// Exponential back-off with jitter. After a Retry-After, it waits for that time and at most a tenth longer.
    private func wait(afterTry number: Int, _ retryAfter: Duration?) -> Duration {
        if let retryAfter { return min(retryAfter * (1 + 0.1 * randomness()), PictureLoader.longestWait) }
        return min(rule.delay * (1 << min(max(number - 1, 0), 20)), PictureLoader.longestWait) * jitter
    }

    // MARK: Sources

    /// Lets the picture pass, or asks its host first.
    private func admit(_ place: Place) async throws(PictureTrouble) {
        for source in sources(of: place) {
            while true {
                let now = time.now()
                let isHost = if case .url = place { true } else { false }
                let step = state.withLock {
                    $0.breaker.step(source, for: place.picture, hasFrontPage: isHost, at: now)
                }
                if case .leave(let reason) = step { throw .later(source: source, reason) }
                guard step == .probe else { break }
                let isUp = await fetcher.answers(source)
                if Task.isCancelled { throw .cancelled }
                let (then, jitter) = (time.now(), jitter)
                state.withLock { $0.breaker.probed(source, isUp: isUp, at: then, jitter: jitter) }
            }
        }
    }

    private func sources(of place: Place) -> [String] {
        switch place {
        case .url(_, let source): [source]
        case .file(let path): state.withLock { $0.breaker.sources(of: path) }
        }
    }

    private func answered(_ place: Place) {
        let back = sources(of: place).filter { source in state.withLock { $0.breaker.answered(source) } }
        forget(place.picture)
        for source in back { log.notice("\(PictureLoader.name(of: source)) are back") }
    }

    private func release(_ place: Place) {
        for source in sources(of: place) { state.withLock { $0.breaker.release(source, place.picture) } }
    }

    private func forget(_ picture: String) { state.withLock { $0.tries[picture] = nil } }

    // MARK: What is away

    private static let prefix = "pictures of "

    /// The name under which pairs are noted that wait for a source.
    static func name(of source: String) -> String { prefix + source }

    /// Whether boxes with this name wait for pictures and not for a service.
    static func isSource(_ name: String) -> Bool { name.hasPrefix(prefix) }

    /// Why sources are away, by their names, if they have been away for longer than a moment.
    public func outages() -> [String: String] {
        let outages = state.withLock { $0.breaker.outages }
        return Dictionary(outages.map { (PictureLoader.name(of: $0), $1) }) { first, _ in first }
    }

    /// When pictures of a source may be requested.
    func due(_ name: String) -> PictureBreaker.Due {
        let (source, now) = (String(name.dropFirst(PictureLoader.prefix.count)), time.now())
        return state.withLock { $0.breaker.due(source, at: now) }
    }

    /// The jobs that go back to their queue because their pictures are away, by service: at least this many in a row,
    /// and why.
    public func postponed() -> [String: (jobs: Int, reason: String)] {
        let rows = rounds.rows
        guard !rows.isEmpty else { return [:] }
        let outages = outages()
        return rows.compactMapValues { row in
            let name = PictureLoader.name(of: row.source)
            return outages[name].map { (row.jobs, "\(name) are away: \($0)") }
        }
    }
}
