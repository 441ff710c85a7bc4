import Model
import Pictures
import Pipeline
import Testing

@Suite("A fetcher of pictures", .timeLimit(.minutes(5)))
struct PictureFetcherBehaviours {
    @Test("gives a picture's bytes, whose host it names and which answers", arguments: fetcherBackends)
    func fetches(_ backend: FetcherBackend) async throws {
        try await backend.run(.works) { base in
            let bytes = try await base.fetcher.fetch(base.picture)
            #expect(bytes == [1])
            let source = base.fetcher.source(of: base.picture)
            #expect(base.picture.hasPrefix(source))
            #expect(await base.fetcher.answers(source))
        }
    }

    @Test("takes a picture that its host does not have for lost: nothing to wait for", arguments: fetcherBackends)
    func missing(_ backend: FetcherBackend) async throws {
        try await backend.run(.works) { base in
            guard let missing = base.missing else { return }
            let fault = try #require(await base.fault(of: missing))
            #expect(fault.kind == .image)
            #expect(fault.absence == nil)
            #expect(await base.fetcher.answers(base.fetcher.source(of: missing)))
        }
    }

    @Test(
        "tells a host that is away from its pictures, until it is back", arguments: fetcherBackends.filter(\.hasMoods))
    func away(_ backend: FetcherBackend) async throws {
        try await backend.run(.isAway) { base in
            let source = base.fetcher.source(of: base.picture)
            let absence = try #require(await base.fault(of: base.picture)?.absence)
            #expect(absence.source == source)
            #expect(absence.isOfSource)
            #expect(await base.fetcher.answers(source) == false)
            try await base.comeBack()
            #expect(await base.fetcher.answers(source))
            let bytes = try await base.fetcher.fetch(base.picture)
            #expect(bytes == [1])
        }
    }

    @Test("tells a host that stumbles from one that is away", arguments: fetcherBackends.filter(\.hasMoods))
    func stumbling(_ backend: FetcherBackend) async throws {
        try await backend.run(.stumbles) { base in
            let fault = try #require(await base.fault(of: base.picture))
            #expect(fault.kind == .image)
            let absence = try #require(fault.absence)
            #expect(absence.source == base.fetcher.source(of: base.picture))
            #expect(!absence.isOfSource)
            try await base.comeBack()
            let bytes = try await base.fetcher.fetch(base.picture)
            #expect(bytes == [1])
        }
    }
}

extension FetcherBase {
    fileprivate func fault(of url: String) async -> PictureFault? {
        do {
            _ = try await fetcher.fetch(url)
            return nil
        } catch { return error }
    }
}
