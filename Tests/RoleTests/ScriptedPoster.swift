import Foundation
import Pipeline
import Synchronization
import Waiting

/// A test double of what posts webhooks: answers as it is told, and keeps what was posted.
final class ScriptedPoster: WebhookPoster {
    /// What was posted.
    struct Post: Sendable {
        var url: String
        var headers: [String: String]
        var body: [UInt8]
        var at: Date
    }

    private struct State {
        var answers: [WebhookAnswer]
        var posts: [Post] = []
        var now: [String: Int] = [:]
        var most: [String: Int] = [:]
    }

    private let state: Mutex<State>
    private let time: any Timekeeper
    /// Posts to this host wait for it.
    private let hold: (host: String, until: Drain)?

    /// - Parameter answers: of the first posts; the last one is that of all later ones, too.
    init(
        _ answers: [WebhookAnswer] = [.answered(status: 200, retryAfter: nil)], time: any Timekeeper,
        hold: (host: String, until: Drain)? = nil
    ) {
        state = Mutex(State(answers: answers))
        self.time = time
        self.hold = hold
    }

    var posts: [Post] { state.withLock { $0.posts } }

    /// How many were posted to a host at the same time.
    func most(to host: String) -> Int { state.withLock { $0.most[host] ?? 0 } }

    func refusal(of url: String) -> String? { nil }

    func place(of url: String) -> String { URL(string: url)?.host() ?? "" }

    func post(_ body: [UInt8], to url: String, headers: [(name: String, value: String)]) async -> WebhookAnswer {
        let host = place(of: url)
        let post = Post(
            url: url, headers: Dictionary(uniqueKeysWithValues: headers.map { ($0.name, $0.value) }), body: body,
            at: time.now())
        let answer = state.withLock { state in
            state.posts.append(post)
            state.now[host, default: 0] += 1
            state.most[host] = max(state.most[host] ?? 0, state.now[host] ?? 0)
            return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
        }
        if let hold, hold.host == host { await hold.until.wait() }
        state.withLock { $0.now[host, default: 0] -= 1 }
        return Task.isCancelled ? .cancelled : answer
    }
}
