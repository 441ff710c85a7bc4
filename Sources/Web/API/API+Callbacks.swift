import Model
import Operations

extension API {
    /// What is to be posted, and when.
    struct CallbackPromise: Sendable {
        var url: String
        var goal: ImageGoal
    }

    static let longestCallbackURL = 2000

    /// The `callback_url` that was sent.
    /// - Throws: `Problem` for one that takes no webhooks, and where webhooks are off.
    func promise(_ body: RequestObject) throws(Problem) -> CallbackPromise? {
        try promise(body.text("callback_url", upTo: API.longestCallbackURL), until: body.choice("until"))
    }

    /// The `callback_url` that came with an upload.
    /// - Throws: `Problem` for one that takes no webhooks, and where webhooks are off.
    func promise(_ form: UploadForm) throws(Problem) -> CallbackPromise? {
        var goal: ImageGoal?
        if let until = form.until {
            goal = ImageGoal(rawValue: until)
            guard goal != nil else {
                let all = ImageGoal.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem(.badBody, "it is one of \(all)", parameter: "until")
            }
        }
        return try promise(form.callbackURL, until: goal)
    }

    private func promise(_ url: String?, until goal: ImageGoal?) throws(Problem) -> CallbackPromise? {
        guard let url else {
            guard goal == nil else { throw Problem(.badBody, "it goes with callback_url", parameter: "until") }
            return nil
        }
        guard let callbacks else {
            throw Problem(
                .webhooksOff, "this server posts no webhooks: WEBHOOK_SECRET in its .env is the key that signs them",
                parameter: "callback_url")
        }
        if let reason = callbacks(url) {
            throw Problem(.badBody, "nothing is posted there: \(reason)", parameter: "callback_url")
        }
        return CallbackPromise(url: url, goal: goal ?? .consensus)
    }
}
