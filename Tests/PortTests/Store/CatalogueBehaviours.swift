import Model
import Pipeline
import Testing

@Suite("The catalogue of images")
struct CatalogueBehaviours {
    @Test("knows an image by path, else URL, else filename; twice adds nothing", arguments: roleStores)
    func identity(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let images = [
                NewImage(filename: "a.jpg", path: "/p/a.jpg", group: "g"),
                NewImage(filename: "a.jpg", path: "/q/a.jpg"),
                NewImage(filename: "b.jpg", url: "http://h/b.jpg"), NewImage(filename: "c.jpg"),
                NewImage(filename: "again.jpg", path: "/p/a.jpg"), NewImage(filename: "c.jpg"),
            ]
            let first = try await base.store.add(images, move: false)
            #expect(first.counts == ImportCounts(added: 4, existing: 2))
            #expect(first.ids.count == 6)
            #expect(first.ids[4] == first.ids[0])
            #expect(first.ids[5] == first.ids[3])
            let second = try await base.store.add(images, move: false)
            #expect(second.counts == ImportCounts(added: 0, existing: 6))
            #expect(second.ids == first.ids)
            #expect(try await base.store.totals().images == 4)
            #expect(try await base.store.newestID() == first.ids.max())
        }
    }

    @Test("moves images into the named group only when asked", arguments: roleStores)
    func moving(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let ids = try await base.store.add([NewImage(path: "/a", group: "old"), NewImage(path: "/b")], move: false)
                .ids
            let again = [
                NewImage(path: "/a", group: "new"), NewImage(path: "/b", group: "new"),
                NewImage(path: "/c", group: "new"),
            ]
            #expect(try await base.store.add(again, move: false).counts == ImportCounts(added: 1, existing: 2))
            #expect(try await base.store.images(ids)[ids[0]]?.group == "old")
            #expect(try await base.store.add(again, move: true).counts == ImportCounts(added: 0, existing: 3, moved: 2))
            #expect(try await base.store.images(ids).values.allSatisfy { $0.group == "new" })
        }
    }

    @Test("gives a group to all that have none", arguments: roleStores)
    func assigning(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            _ = try await base.store.add(
                [NewImage(path: "/a", group: "old"), NewImage(path: "/b"), NewImage(path: "/c")], move: false)
            #expect(try await base.store.assignGroup("rest") == 2)
            #expect(try await base.store.assignGroup("rest") == 0)
            #expect(try await base.store.count(ImageFilter(group: "rest")) == 2)
            #expect(try await base.store.count(ImageFilter(group: "old")) == 1)
        }
    }

    @Test("lists page by page what a filter asks for", arguments: roleStores)
    func listing(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let ids = try await base.store.add(
                (0..<10).map { NewImage(path: "/\($0)", group: $0 % 2 == 0 ? "even" : nil) }, move: false
            ).ids
            let first = try await base.store.images(ImageFilter(), after: 0, limit: 4)
            #expect(first.map(\.image.id) == Array(ids[0..<4]))
            let rest = try await base.store.images(ImageFilter(), after: ids[3], limit: 100)
            #expect(rest.map(\.image.id) == Array(ids[4...]))
            let even = try await base.store.images(ImageFilter(group: "even"), after: ids[0], limit: 2)
            #expect(even.map(\.image.id) == [ids[2], ids[4]])
            let named = ImageFilter(group: "even", ids: [ids[1], ids[8], ids[2]])
            #expect(try await base.store.images(named, after: 0, limit: 9).map(\.image.id) == [ids[2], ids[8]])
            #expect(try await base.store.count(named) == 2)
            #expect(try await base.store.count(ImageFilter()) == 10)
            #expect(try await base.store.count(ImageFilter(ids: [])) == 0)
            #expect(try await base.store.images(ImageFilter(), after: 0, limit: 0).isEmpty)
        }
    }

    @Test("lists images that lack a successful result, with what they lack", arguments: roleStores)
    func lacking(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let ids = try await base.images(3)
            try await base.store.record([
                .of(ids[0], "blip"), .of(ids[0], "clip"), .of(ids[1], "blip"), .of(ids[1], "clip", status: .error),
                .of(ids[1], "blip", status: .error),
            ])
            let filter = ImageFilter(lacking: ["blip", "clip"])
            let listed = try await base.store.images(filter, after: 0, limit: 10)
            #expect(listed.map(\.image.id) == [ids[1], ids[2]])
            #expect(listed.map { $0.lacking.sorted() } == [["clip"], ["blip", "clip"]])
            #expect(try await base.store.count(filter) == 2)
            #expect(try await base.store.count(ImageFilter(lacking: [])) == 0)
            func lack(_ services: [String], in group: String? = nil, limit: Int? = nil) async throws -> Lack {
                try await base.store.lack(of: services, in: group, failed: false, limit: limit)
            }
            #expect(try await lack(["blip", "clip", "blip"]) == Lack(images: 2, jobs: 3))
            #expect(try await lack(["blip", "clip"], limit: 1) == Lack(images: 1, jobs: 1))
            #expect(try await lack(["blip"]) == Lack(images: 1, jobs: 1))
            #expect(try await lack(["ocr"]) == Lack(images: 3, jobs: 3))
            #expect(try await lack([]) == Lack())
            #expect(try await lack(["blip"], in: "none") == Lack())
        }
    }

    @Test("finds images by id, path, URL or filename: all that match", arguments: roleStores)
    func finding(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let ids = try await base.store.add(
                [
                    NewImage(filename: "a.jpg", path: "/p/a.jpg"), NewImage(filename: "a.jpg", path: "/q/a.jpg"),
                    NewImage(filename: "b.jpg", url: "http://h/b.jpg"), NewImage(filename: "1", path: "/r/1"),
                ], move: false
            ).ids
            func find(_ text: String) async throws -> [ImageID] { try await base.store.find(text).map(\.id) }
            #expect(try await find("a.jpg") == [ids[0], ids[1]])
            #expect(try await find("/q/a.jpg") == [ids[1]])
            #expect(try await find("http://h/b.jpg") == [ids[2]])
            #expect(try await find("1") == [1, ids[3]])
            #expect(try await find("").isEmpty)
            #expect(try await find("99999999999999999999").isEmpty)
            #expect(
                try await base.store.images([ids[2], 9999]) == [
                    ids[2]: Image(id: ids[2], filename: "b.jpg", url: "http://h/b.jpg")
                ])
        }
    }

    @Test("cuts a filename that is too long, and finds it again; nothing at all is refused", arguments: roleStores)
    func long(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let long = [NewImage(filename: String(repeating: "é", count: 300))]
            let ids = try await base.store.add(long, move: false).ids
            #expect(try await base.store.images(ids).values.first?.filename == String(repeating: "é", count: 254) + "…")
            #expect(try await base.store.add(long, move: false).ids == ids)
            let fault = await #expect(throws: PortFault.self) {
                try await base.store.add([NewImage(path: "/new"), NewImage(filename: "", path: "")], move: false)
            }
            #expect(fault?.kind == .refused)
            #expect(try await base.store.totals().images == 1)
        }
    }
}
