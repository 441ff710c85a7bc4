import Foundation
import Model
import Pipeline
import Testing

@Suite("A service", .timeLimit(.minutes(5)))
struct AnalysisServiceBehaviours {
    @Test("answers about pictures and crops while it works, and holds up nobody", arguments: serviceBackends)
    func answers(_ backend: ServiceBackend) async throws {
        try await backend.run(.works) { base in
            #expect(base.service.takesFreely)
            let permits = try await base.service.permits()
            #expect(permits > 1)
            for subject in [base.picture, AnalysisSubject.picture(jpeg: [1, 2], filename: "crop.jpg")] {
                let outcome = await base.service.analyze(subject, key: UUID())
                guard case .answered(let answer) = outcome else {
                    Issue.record("\(outcome)")
                    continue
                }
                #expect(answer.json["predictions"]?.arrayValue != nil)
                #expect(answer.processingTime >= 0)
            }
            #expect(await base.service.outage() == nil)
            #expect(base.service.takesFreely)
        }
    }

    @Test("that says it failed has failed for good, with a cause, and is no outage", arguments: serviceBackends)
    func fails(_ backend: ServiceBackend) async throws {
        try await backend.run(.fails) { base in
            let outcome = await base.service.analyze(base.picture, key: UUID())
            // A single error in answer to a picture: it is the picture's, or nobody knows yet.
            let failure: AnalysisFailure? =
                switch outcome {
                case .failed(let failure), .undecided(let failure): failure
                case .answered, .unavailable: nil
                }
            #expect(failure?.message.isEmpty == false, "\(outcome)")
            #expect(failure?.tries == 1)
            #expect(await base.service.outage() == nil)
            let permits = try await base.service.permits()
            #expect(permits > 0)
        }
    }

    @Test("that is down gives every job back and says why, until it works again", arguments: serviceBackends)
    func outage(_ backend: ServiceBackend) async throws {
        try await backend.run(.isDown) { base in
            try await goDown(base)
            async let permits = base.service.permits()
            try await base.waits()
            try await base.up()
            #expect(try await permits > 0)
            let outcome = await base.service.analyze(base.picture, key: UUID())
            guard case .answered = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(await base.service.outage() == nil)
            #expect(base.service.takesFreely)
            #expect(try await base.service.permits() > 1)
        }
    }

    @Test("that is down keeps nobody waiting who is cancelled", arguments: serviceBackends)
    func cancelled(_ backend: ServiceBackend) async throws {
        try await backend.run(.isDown) { base in
            try await goDown(base)
            await #expect(throws: CancellationError.self) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { _ = try await base.service.permits() }
                    try await base.waits()
                    group.cancelAll()
                    try await group.waitForAll()
                }
            }
            #expect(await base.service.outage() != nil)
        }
    }

    /// Asks until it is known to be down: every job comes back meanwhile, and afterwards.
    private func goDown(_ base: ServiceBase) async throws {
        for _ in 1...10 {
            let outcome = await base.service.analyze(base.picture, key: UUID())
            guard case .unavailable(let reason) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(!reason.isEmpty)
        }
        #expect(await base.service.outage()?.isEmpty == false)
        #expect(!base.service.takesFreely)
    }
}
