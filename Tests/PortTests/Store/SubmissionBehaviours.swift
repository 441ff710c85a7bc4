import Foundation
import Model
import Pipeline
import Testing

@Suite("Submissions in a window")
struct SubmissionBehaviours {
    private let scopes = [
        SubmissionScope(service: "clip", group: "a"), SubmissionScope(service: "clip", group: nil),
        SubmissionScope(service: "clip", group: "a", kind: .lacking),
    ]

    private func fresh() -> [SubmissionMark] { scopes.map { SubmissionMark(scope: $0, pass: UUID(), baseline: 7) } }

    @Test("are unknown at first, and then as they were written, each by itself", arguments: roleStores)
    func written(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let (store, holder) = (base.store, UUID())
            #expect(try await store.submissions(scopes).isEmpty)
            let fresh = fresh()
            var marks = try await store.takeSubmissions(fresh, restarts: false, holder: holder)
            #expect(marks == fresh)
            (marks[1].after, marks[1].claimed, marks[1].images) = (5, 9, 4)
            marks[1].doubts = [1...2, 4...4]
            marks[2].isOver = true
            #expect(try await store.mark(Array(marks.dropFirst()), holder: holder))
            let known = try await base.connect().submissions(scopes + [SubmissionScope(service: "blip", group: "a")])
            #expect(known.count == 3)
            for mark in marks { #expect(known.contains(mark)) }
        }
    }

    @Test("go on where they were; what was claimed is in doubt, and a new pass begins anew", arguments: roleStores)
    func takenOver(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let (store, first) = (base.store, UUID())
            var marks = try await store.takeSubmissions(fresh(), restarts: false, holder: first)
            (marks[0].after, marks[0].claimed, marks[0].images, marks[0].isOver) = (5, 9, 4, true)
            #expect(try await store.mark(marks, holder: first))
            for _ in 1...2 {
                let taken = try await store.takeSubmissions(fresh(), restarts: false, holder: UUID())
                #expect(taken.map(\.pass) == marks.map(\.pass))
                #expect(taken[0].doubts == [6...9] && taken[0].after == 9 && taken[0].images == 4 && !taken[0].isOver)
                #expect(taken[1] == marks[1])
            }
            let anew = fresh()
            #expect(try await store.takeSubmissions(anew, restarts: true, holder: UUID()) == anew)
        }
    }

    @Test("have one holder: whoever was before writes nothing any more", arguments: roleStores)
    func holders(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let (store, first, second) = (base.store, UUID(), UUID())
            var marks = try await store.takeSubmissions(fresh(), restarts: false, holder: first)
            _ = try await base.connect().takeSubmissions([marks[1]], restarts: false, holder: second)
            marks[0].claimed = 3
            #expect(try await !store.mark(marks, holder: first), "one of them is another one's")
            #expect(try await store.submissions([scopes[0]]).first?.claimed == 0, "all or nothing")
            #expect(try await store.mark([marks[0]], holder: first))
            #expect(try await store.mark([marks[1]], holder: second))
            #expect(try await store.mark([], holder: first))
        }
    }

    @Test("know names of any kind", arguments: storeBackends)
    func names(_ backend: StoreBackend) async throws {
        try await backend.run { base in
            let scope = SubmissionScope(service: "o'brien, \"x\"", group: "{Ferien 🏖️, 'a'}\\", kind: .failed)
            let mark = SubmissionMark(scope: scope, pass: UUID(), baseline: .max)
            _ = try await base.store.takeSubmissions([mark], restarts: false, holder: UUID())
            #expect(try await base.store.submissions([scope]) == [mark])
        }
    }
}
