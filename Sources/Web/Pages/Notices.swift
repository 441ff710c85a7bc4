import Foundation

/// What an act that led to a page has done, as the address says. Anybody can make up an address, so only acts that
/// there are and names that are known become words of a page; nil for all others.
extension Page.Notice {
    /// An act on a service, on the farm's page or the service's own.
    /// - Parameter known: names of services and roles.
    static func control(_ fields: Fields, known: [String]) -> Page.Notice? {
        guard let name = fields["what"], known.contains(name) else { return nil }
        return switch fields["done"] {
        case "paused": Page.Notice(text: "\(name) is paused. Workers obey within five seconds.")
        case "resumed": Page.Notice(text: "\(name) is resumed.")
        case "limited": Page.Notice(text: "The limits of \(name) are set. Workers obey within five seconds.")
        default: nil
        }
    }

    /// Services that were asked again about an image.
    static func rerun(_ fields: Fields) -> Page.Notice? {
        guard fields["done"] == "rerun", let text = fields["what"], let count = Int(text), (0...1000).contains(count)
        else { return nil }
        return switch count {
        case 0: Page.Notice(text: "No service is like that here: nothing was asked.")
        case 1: Page.Notice(text: "One service is asked again. Load this page again to see its answer.")
        default: Page.Notice(text: "\(count) services are asked again. Load this page again to see their answers.")
        }
    }

    /// An act on dead letters.
    static func dead(_ fields: Fields) -> Page.Notice? {
        switch fields["done"] {
        case "begun": Page.Notice(text: "It has begun, and goes on by itself.")
        case "stopped": Page.Notice(text: "It stops after what is at hand.")
        case "ended": Page.Notice(text: "It has ended already.")
        default: nil
        }
    }
}
