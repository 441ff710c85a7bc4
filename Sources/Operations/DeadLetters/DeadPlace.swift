import Foundation

/// A place among the dead letters of all queues, by their names. Its text is nobody's to read: it may change.
package struct DeadPlace: Sendable, Equatable {
    /// The queue whose letters come next.
    let queue: String
    /// Where in the queue; only the queue itself reads it.
    let place: Int64

    init(queue: String, place: Int64) { (self.queue, self.place) = (queue, place) }

    /// As it stands in an address, of at most 360 characters.
    package var text: String {
        let name = Data(queue.utf8).base64EncodedString()
        return String(place, radix: 36) + "."
            + name.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Reads what `text` wrote; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count <= 360, let point = text.firstIndex(of: "."),
            let place = Int64(text[..<point], radix: 36), place >= 0
        else { return nil }
        let name = text[text.index(after: point)...].replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - name.utf8.count % 4) % 4)
        guard let bytes = Data(base64Encoded: name + padding), !bytes.isEmpty,
            let queue = String(validating: bytes, as: UTF8.self), !queue.utf8.contains(0)
        else { return nil }
        self.init(queue: queue, place: place)
        guard self.text == text else { return nil }
    }
}
