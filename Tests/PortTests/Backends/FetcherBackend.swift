import Doubles
import Pictures
import Pipeline
import Services
@testable import SimulatedWorld
import Synchronization
import Testing
import Waiting

/// A fetcher that claims the behaviours of `PictureFetcher`. A new one joins with a line in `fetcherBackends`.
struct FetcherBackend: Sendable, CustomTestStringConvertible {
    /// How the host is when a test begins.
    enum Mood: Sendable {
        case works
        /// Nobody listens there, until `comeBack`.
        case isAway
        /// It gives no picture for a moment, until `comeBack`.
        case stumbles
    }

    typealias Test = @Sendable (FetcherBase) async throws -> Void

    var name: String
    /// Whether its host can be anything but well.
    var hasMoods = true
    /// Runs a test on a host of its own.
    var run: @Sendable (Mood, @escaping Test) async throws -> Void

    var testDescription: String { name }
}

/// The client that farm runs with; the simulation's; and the doubles of the roles' tests.
let fetcherBackends = [FetcherBackend.overHTTP, .simulated, .gallery, .shelf]

/// A host of one test's own.
struct FetcherBase: Sendable {
    var fetcher: any PictureFetcher
    /// URL of a picture.
    var picture: String
    /// On the same host; nil where every picture is there.
    var missing: String?
    var comeBack: @Sendable () async throws -> Void = {}
}

extension FetcherBackend {
    static let overHTTP = FetcherBackend(name: "the HTTP client") { mood, test in
        let stumbles = Mutex(mood == .stumbles)
        let server = try MisbehavingServer(listening: mood != .isAway) { request in
            if stumbles.withLock({ $0 }) { return .json("", status: 503, headers: ["Retry-After": "7"]) }
            return request.path == "/2.jpg" ? .json("", status: 404) : .answer(200, [1])
        }
        let host = "http://127.0.0.1:\(server.port)"
        try await test(
            FetcherBase(
                fetcher: HTTPClient(), picture: host + "/1.jpg", missing: host + "/2.jpg",
                comeBack: {
                    stumbles.withLock { $0 = false }
                    if mood == .isAway { server.listen() }
                }))
    }

    static let simulated = FetcherBackend(name: "the simulated pictures") { mood, test in
        try await SimulatedBench.run(faults: mood == .stumbles ? [.pictureStumbles: 1] : [:]) { bench in
            let host = SimulatedWorld.Pictures.host
            if mood == .isAway { bench.conditions.begin(.picturesAway, of: host, for: .seconds(100_000)) }
            let url = try #require(bench.album.pictures.compactMap(\.image.url).first)
            try await test(
                FetcherBase(
                    fetcher: SimulatedWorld.Pictures(album: bench.album, process: bench.process()), picture: url,
                    missing: host + "/99.jpg", comeBack: { bench.conditions.calm() }))
        }
    }

    static let gallery = FetcherBackend(name: "the gallery") { mood, test in
        let gallery = Gallery()
        let host = "http://nas"
        switch mood {
        case .works: break
        case .isAway:
            gallery.set(host, .away(host))
            gallery.silence(host, true)
        case .stumbles: gallery.set(host, .stumble(host))
        }
        try await test(
            FetcherBase(
                fetcher: gallery, picture: host + "/1.jpg",
                comeBack: {
                    gallery.set(host, nil)
                    gallery.silence(host, false)
                }))
    }

    static let shelf = FetcherBackend(name: "the shelf", hasMoods: false) { _, test in
        let url = "http://shelf/1.jpg"
        try await test(
            FetcherBase(fetcher: ShelfFetcher([url: [1]]), picture: url, missing: "http://shelf/2.jpg"))
    }
}
