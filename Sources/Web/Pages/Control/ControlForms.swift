import Foundation
import Operations
import Pipeline

/// What the form of a pause says.
struct PauseForm {
    /// Its fields.
    static let known: Set<String> = ["reason", "minutes", "kept", "revision", "back"]
    /// The longest reason.
    static let longestReason = 300
    private static let year = 525_600

    let reason: String?
    /// What was set when the page with the form was made: that is what it replaces. nil where there was no page.
    let revision: Int?
    private let minutes: Int?
    /// The minutes were left as the page had them.
    private let keepsEnd: Bool

    /// - Throws: `OperationFault` for what is no time; `Fields.Fault`.
    init(_ fields: Fields) throws {
        reason = try fields.text("reason", upTo: PauseForm.longestReason)
        revision = try fields.number("revision", 0...Int.max)
        minutes = try fields["minutes"].map { text in
            guard let number = QueryParameters.number(text), (1...PauseForm.year).contains(number) else {
                throw OperationFault.unusable(
                    "the minutes of a pause must be a whole number from 1 to \(PauseForm.year), a year")
            }
            return number
        }
        keepsEnd = minutes != nil && fields["kept"] == fields["minutes"]
    }

    /// When the pause ends.
    /// - Parameter control: what is set now.
    func end(_ control: ServiceControl) -> FleetControl.PauseEnd? {
        if keepsEnd, control.isPaused, let until = control.until { return .at(until) }
        return minutes.map { .after(Double($0) * 60) }
    }

    /// The minutes that are left of a pause, to be shown in its form; nil where it has no end.
    static func minutes(leftOf control: ServiceControl, at now: Date) -> Int? {
        guard control.isPaused, let until = control.until else { return nil }
        return min(max(1, Int((until.timeIntervalSince(now) / 60).rounded(.up))), year)
    }
}

/// What the form of a limit says. An empty field removes a limit; one that is not there leaves it as it is.
struct LimitForm {
    /// Its fields.
    static let known: Set<String> = ["rate", "concurrency", "back"]

    let rate: FleetControl.Setting<RateText>
    let concurrency: FleetControl.Setting<Int>

    /// - Throws: `OperationFault` for what is no rate; `Fields.Fault`.
    init(_ fields: Fields) throws {
        guard fields.value("rate") != nil || fields.value("concurrency") != nil else {
            throw OperationFault.unusable("the form says neither rate nor concurrency; an empty one removes a limit")
        }
        rate =
            switch fields.value("rate") {
            case nil: .kept
            case "", "none": .none
            case let text?: .to(try RateText(text))
            }
        concurrency =
            fields.value("concurrency") == nil
            ? .kept : try fields.number("concurrency", 1...1000).map { .to($0) } ?? .none
    }
}
