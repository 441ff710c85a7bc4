import Model
import Pipeline
import Testing

@Suite("What imports keep beside the images")
struct ImportBehaviours {
    @Test("another path or URL of a known image is told, and written when asked", arguments: storeBackends)
    func differences(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let ids = try await base.store.add(
                [
                    NewImage(filename: "a.jpg", path: "/p/a.jpg"),
                    NewImage(filename: "b.jpg", path: "/p/b.jpg", url: "http://h/b.jpg"),
                    NewImage(url: "http://h/c.jpg"), NewImage(filename: "d.jpg"),
                ], move: false
            ).ids
            let others = [
                NewImage(path: "/p/a.jpg", url: "http://h/a.jpg"),
                NewImage(filename: "bb.jpg", path: "/q/bb.jpg", url: "http://h/b.jpg"),
                NewImage(filename: "c.jpg", path: "/p/c.jpg", url: "http://h/c.jpg"),
                // The same path, and nothing of its URL; a filename says nothing beside a path.
                NewImage(path: "/p/b.jpg"), NewImage(filename: "d.jpg", path: "/p/d.jpg"),
            ]
            let told = try await base.store.add(others, move: false)
            #expect(told.counts == ImportCounts(added: 1, existing: 4))
            #expect(told.differences.map(\.stored.id) == Array(ids[0..<3]))
            #expect(told.differences.map(\.written.path) == ["/p/a.jpg", "/q/bb.jpg", "/p/c.jpg"])
            #expect(try await base.store.images([ids[0]])[ids[0]]?.url == nil, "nothing is written unasked")

            let written = try await base.store.add(Array(others.prefix(3)), move: false, update: true)
            #expect(written.counts == ImportCounts(existing: 3) && written.differences == told.differences)
            let rows = try await base.store.images(ids)
            #expect(rows[ids[0]] == Image(id: ids[0], filename: "a.jpg", path: "/p/a.jpg", url: "http://h/a.jpg"))
            #expect(rows[ids[1]] == Image(id: ids[1], filename: "bb.jpg", path: "/q/bb.jpg", url: "http://h/b.jpg"))
            #expect(rows[ids[2]] == Image(id: ids[2], filename: "c.jpg", path: "/p/c.jpg", url: "http://h/c.jpg"))
            let again = try await base.store.add(Array(others.prefix(3)), move: false, update: true)
            #expect(again.differences.isEmpty)
        }
    }

    @Test("within one batch an image is known by what the batch made of it", arguments: storeBackends)
    func batch(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let answer = try await base.store.add(
                [
                    NewImage(path: "/p/a.jpg", url: "http://h/a.jpg"),
                    NewImage(path: "/q/a.jpg", url: "http://h/a.jpg"), NewImage(path: "/q/a.jpg"),
                    NewImage(path: "/p/a.jpg"),
                ], move: false, update: true)
            #expect(answer.counts == ImportCounts(added: 2, existing: 2))
            #expect(answer.ids[1] == answer.ids[0] && answer.ids[2] == answer.ids[0] && answer.ids[3] != answer.ids[0])
            #expect(answer.differences.map(\.stored.id) == [answer.ids[0]])
            #expect(try await base.store.images(answer.ids)[answer.ids[0]]?.path == "/q/a.jpg")
        }
    }

    @Test("a refusal is remembered once, with its last reason, until its place is accepted", arguments: storeBackends)
    func refusals(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            #expect(try await base.store.newestRefusal() == 0)
            try await base.store.remember([("/p/a.jpg", "first"), ("/p/b.jpg", "b"), ("/l.csv:3", "c")])
            try await base.store.remember([("/p/a.jpg", "second")])
            try await base.store.remember([])
            let all = try await base.store.refusals(after: 0, limit: 9)
            #expect(Set(all.map { "\($0.place) \($0.reason)" }) == ["/p/a.jpg second", "/p/b.jpg b", "/l.csv:3 c"])
            #expect(all.last?.place == "/p/a.jpg")
            #expect(try await base.store.newestRefusal() == all.last?.id)
            #expect(all.allSatisfy { abs($0.refused.timeIntervalSince(base.now())) < 60 })
            let first = try #require(all.first)
            #expect(try await base.store.refusals(after: first.id, limit: 1) == [all[1]])

            #expect(try await base.store.refusal(of: "/p/a.jpg")?.reason == "second")
            #expect(try await base.store.refusal(of: "/p/a") == nil)
            _ = try await base.store.add([NewImage(path: "/p/a.jpg")], move: false)
            #expect(try await base.store.refusal(of: "/p/a.jpg") == nil)
        }
    }

    @Test("what a place's new reading has not refused is forgotten, its neighbours' not", arguments: storeBackends)
    func forgetting(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            func remember(_ places: String...) async throws {
                try await base.store.remember(places.map { ($0, "r") })
            }
            func places() async throws -> [String] {
                try await base.store.refusals(after: 0, limit: 99).map(\.place).sorted()
            }
            try await remember("/p/a_b/1", "/p/a_b/x/2", "/p/a_b", "/p/a_bc", "/p/axb/1", "/p/l.csv:3", "/p/l.csvx:3")
            let last = try await base.store.newestRefusal()
            try await remember("/p/a_b/1")
            try await base.store.forgetRefusals(of: "/p/a_b", upTo: last)
            try await base.store.forgetRefusals(of: "/p/l.csv", upTo: last)
            #expect(try await places() == ["/p/a_b/1", "/p/a_bc", "/p/axb/1", "/p/l.csvx:3"])
            try await base.store.forgetRefusals(of: "/", upTo: try await base.store.newestRefusal())
            #expect(try await places().isEmpty)
        }
    }

    @Test("the paths of a folder that has another name are rewritten; again changes nothing", arguments: storeBackends)
    func moving(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let paths = ["/p/old/a.jpg", "/p/old/x/ä.jpg", "/p/old", "/p/older/a.jpg", "/p/ol", "/p/oldb.jpg"]
            let ids = try await base.store.add(
                paths.map { NewImage(filename: PathText.lastComponent(of: $0), path: $0) } + [
                    NewImage(url: "http://h/1")
                ],
                move: false
            ).ids
            #expect(try await base.store.movePaths(from: "/p/old", to: "/q/new_1") == .done(3))
            #expect(try await base.store.movePaths(from: "/p/old", to: "/q/new_1") == .done(0))
            let rows = try await base.store.images(ids)
            #expect(
                ids.map { rows[$0]?.path } == [
                    "/q/new_1/a.jpg", "/q/new_1/x/ä.jpg", "/q/new_1", "/p/older/a.jpg", "/p/ol", "/p/oldb.jpg", nil,
                ])
            #expect(ids.prefix(3).map { rows[$0]?.filename } == ["a.jpg", "ä.jpg", "new_1"])
        }
    }

    @Test("paths that would be those of two images are all left alone", arguments: storeBackends)
    func taken(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let ids = try await base.store.add(
                ["/old/1", "/old/2", "/old/3", "/new/2", "/new/3"].map { NewImage(path: $0) }, move: false
            ).ids
            #expect(try await base.store.movePaths(from: "/old", to: "/new") == .taken(2, example: "/new/2"))
            #expect(try await base.store.images(ids)[ids[0]]?.path == "/old/1")
        }
    }

    @Test(
        "into a folder below and back: what is there already stays, and nothing is moved twice",
        arguments: storeBackends)
    func nested(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let ids = try await base.store.add(["/p/1", "/p/x/2"].map { NewImage(path: $0) }, move: false).ids
            func paths() async throws -> [String?] {
                let rows = try await base.store.images(ids)
                return ids.map { rows[$0]?.path }
            }
            #expect(try await base.store.movePaths(from: "/p", to: "/p/x") == .done(1))
            #expect(try await base.store.movePaths(from: "/p", to: "/p/x") == .done(0))
            #expect(try await paths() == ["/p/x/1", "/p/x/2"])
            #expect(try await base.store.movePaths(from: "/p/x", to: "/p") == .done(2))
            #expect(try await paths() == ["/p/1", "/p/2"])
            _ = try await base.store.add([NewImage(path: "/p/x/x/3")], move: false)
            #expect(try await base.store.movePaths(from: "/p/x", to: "/p") == .endless(example: "/p/x/3"))
        }
    }
}
