import Model
import Pipeline

/// Why a try has no answer that can be stored.
struct CallFault: Error, Equatable {
    var kind: FailureKind
    var message: String
    var httpStatus: Int?
    /// Whether another try would not help.
    var isFinal: Bool

    /// The reason for an outage, if the service fails in this way for one job after another. nil if the fault is not in
    /// the service's answer, but in a picture or the connection.
    func reasonOfService(labelled label: String) -> String? {
        guard kind.isOfService else { return nil }
        let cause =
            message.hasPrefix(label) ? message.dropFirst(label.count).drop { $0 == ":" || $0 == " " } : message[...]
        return "fails for one job after another: \(cause)"
    }
}

extension HTTPResponse {
    /// Judges a service's answer by its status, its JSON, its own status field, and its predictions, in this order.
    /// - Parameter label: the name of the service in messages.
    func answer(from label: String) -> Result<Answer, CallFault> {
        guard (200..<300).contains(status) else {
            let text = "\(label) answered \(status)" + (errorText.map { ": \($0)" } ?? "")
            return .failure(CallFault(kind: .http, message: text, httpStatus: status, isFinal: !mayPass))
        }
        let json: JSON
        do {
            // Deep enough for everything that is looked at here.
            json = try JSON(parsing: body, reading: .levels(2))
        } catch .tooDeep(let limit) {
            return fault(.tooLarge, "\(label) answered with nesting deeper than \(limit)")
        } catch {
            return fault(.notJSON, "\(label) did not answer with JSON (\(error)): \(beginning)", isFinal: false)
        }
        guard case .object = json else { return fault(.badAnswer, "\(label) answered with JSON that is no object") }
        if json["status"]?.stringValue == "error" {
            return fault(.serviceError, "\(label): \(Self.errorText(json) ?? "an error without a message")")
        }
        guard json["predictions"]?.arrayValue != nil else {
            return fault(.badAnswer, "\(label) answered without a list of predictions")
        }
        let reported = json["metadata"]?["processing_time"]?.numberValue.flatMap {
            (0...Self.longest).contains($0) ? $0 : nil
        }
        return .success(Answer(body: body, processingTime: reported ?? seconds, reported: reported))
    }

    /// Whether another try may have another status.
    var mayPass: Bool { status == 408 || status == 425 || status == 429 || (500..<600).contains(status) }

    /// In seconds, eleven days. A longer time that an answer reports for itself is not believed.
    private static let longest = 1e6

    private func fault(_ kind: FailureKind, _ message: String, isFinal: Bool = true) -> Result<Answer, CallFault> {
        .failure(CallFault(kind: kind, message: message, httpStatus: status, isFinal: isFinal))
    }

    /// The beginning of the body, for people.
    private var beginning: String {
        body.isEmpty
            ? "an empty body" : "“\(Wording.line(String(decoding: body.prefix(240), as: UTF8.self), limit: 60))”"
    }

    private var errorText: String? { (try? JSON(parsing: body)).flatMap(Self.errorText) }

    private static func errorText(_ json: JSON) -> String? {
        let text = json["error"]?["message"]?.stringValue ?? json["error"]?.stringValue
        return text.flatMap { $0.isEmpty ? nil : Wording.line($0) }
    }
}

extension HTTPFault {
    /// What the fault of a request means for its job.
    func callFault(from label: String) -> CallFault {
        let kind: FailureKind
        switch self.kind {
        case .timeout: kind = .timeout
        case .tooLarge: kind = .tooLarge
        case .unreadableFile: kind = .image
        case .broken, .encoding, .other, .denied, .unreachable, .malformed, .cancelled: kind = .connection
        }
        return CallFault(
            kind: kind, message: kind == .image ? cause : "\(label): \(cause)", httpStatus: status,
            isFinal: kind == .tooLarge || kind == .image)
    }
}
