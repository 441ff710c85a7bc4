import Hummingbird
import Model
import Pipeline

/// What is looked for, as the address of a page has it.
struct ImageSearchFields {
    /// The fields of a page that is found by them.
    static let known: Set<String> = Site.pageFields.union([
        "text", "group", "label", "unfused", "confidence", "emoji", "votes", "state", "failed", "errors", "disagree",
        "incomplete", "undecided", "order", "at",
    ])

    private(set) var query: ImageQuery
    private(set) var order: ImageOrder
    private(set) var cursor: ImageCursor?

    /// - Throws: `Fields.Fault` for a field that is not known or there twice, and for a value that is out of range or
    ///   of another type.
    init(_ fields: Fields, expected: [String]) throws(Fields.Fault) {
        for (name, value) in try fields.only(ImageSearchFields.known).pairs where value.utf8.count > 1000 {
            throw Fields.Fault(text: "a value of \(name.prefix(40)) of more than 1000 bytes")
        }
        var query = ImageQuery(expected: expected)
        query.group = fields["group"]
        query.label = fields["label"]
        query.includesUnfused = try fields.flag("unfused")
        query.emoji = fields["emoji"]
        query.minVotes = try fields.number("votes", 1...1000)
        query.minConfidence = try fields.fraction("confidence")
        query.disagrees = try fields.flag("disagree")
        query.failedService = fields["failed"]
        query.hasFailure = try fields.flag("errors")
        query.isIncomplete = try fields.flag("incomplete")
        query.lacksConsensus = try fields.flag("undecided")
        query.text = fields["text"]
        if let state = fields["state"] {
            guard let known = ImageState(rawValue: state) else { throw Fields.Fault(text: "a state that is not known") }
            query.state = known
        }
        var order = ImageOrder.newestFirst
        if let text = fields["order"] {
            guard let known = ImageOrder(rawValue: text) else { throw Fields.Fault(text: "an order that is not known") }
            order = known
        }
        if let text = fields["at"] {
            guard let known = ImageCursor(text) else { throw Fields.Fault(text: "a place in the list that is none") }
            cursor = known
        }
        (self.query, self.order) = (query, order)
    }

    /// The same search as a query, from its first character on; empty where nothing is looked for.
    /// - Parameter cursor: where in the list.
    func link(at cursor: ImageCursor? = nil) -> String {
        var pairs: [(String, String)] = []
        func add(_ name: String, _ value: String?) { if let value { pairs.append((name, value)) } }
        add("text", query.text)
        add("group", query.group)
        add("label", query.label)
        add("unfused", query.includesUnfused ? "1" : nil)
        add("confidence", query.minConfidence.map { "\($0)" })
        add("emoji", query.emoji)
        add("votes", query.minVotes.map(String.init))
        add("state", query.state?.rawValue)
        add("failed", query.failedService)
        add("errors", query.hasFailure ? "1" : nil)
        add("disagree", query.disagrees ? "1" : nil)
        add("incomplete", query.isIncomplete ? "1" : nil)
        add("undecided", query.lacksConsensus ? "1" : nil)
        add("order", order == .newestFirst ? nil : order.rawValue)
        add("at", cursor?.text)
        return pairs.isEmpty ? "" : "?" + pairs.map { "\($0)=\($1.queryEncoded)" }.joined(separator: "&")
    }
}
