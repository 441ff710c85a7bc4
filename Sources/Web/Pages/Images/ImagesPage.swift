import Model
import Pipeline

/// The grid of photos, with what they are looked for by.
struct ImagesPage {
    /// Photos on a page.
    static let limit = 60
    /// Groups and labels that are offered.
    static let choices = 300
    /// Either of them, in bytes.
    private static let choiceBytes = 10_000

    let search: ImageSearchFields
    let page: ImagePage
    let groups: [String]
    let labels: [String]
    let services: [String]
    let lag: IndexLag

    var content: HTML {
        """
        <h1>Images</h1>
        \(looks)
        \(form)
        \(behind)
        \(grid)
        \(turning)
        """
    }

    // MARK: What is looked for

    /// What is looked for most, by one click.
    private var looks: HTML {
        let query = search.query
        let looks: [(name: String, title: String, isShown: Bool)] = [
            ("disagree", "Detectors disagree", query.disagrees), ("errors", "With errors", query.hasFailure),
            ("incomplete", "Incomplete", query.isIncomplete),
            ("undecided", "Without a consensus", query.lacksConsensus),
        ]
        let items = looks.map { look -> HTML in
            let current: HTML = look.isShown ? " aria-current=\"true\"" : ""
            return "<li><a href=\"images?\(look.name)=1\"\(current)>\(look.title)</a></li>"
        }
        return "<nav aria-label=\"Often looked for\"><ul class=\"looks\">\(items)</ul></nav>"
    }

    private var form: HTML {
        let query = search.query
        return """
            <form method="get" action="images" class="filters" role="search">
            \(text("text", "Name contains", query.text))
            \(text("group", "Group", query.group, list: "groups"))
            \(text("label", "Label", query.label, list: "labels"))
            \(text("confidence", "Confidence from", query.minConfidence.map { "\($0)" }, type: "number", limits: " min=\"0\" max=\"1\" step=\"0.01\""))
            \(text("emoji", "Emoji", query.emoji))
            \(text("votes", "Votes from", query.minVotes.map(String.init), type: "number", limits: " min=\"1\" max=\"1000\""))
            \(select("state", "State", ImageState.allCases.map { ($0.rawValue, $0.name) }, query.state?.rawValue))
            \(select("failed", "Failed service", services.map { ($0, $0) }, query.failedService))
            \(select("order", "Order", [("oldest", "oldest first")], search.order == .oldestFirst ? "oldest" : nil, none: "newest first"))
            <fieldset><legend>Only</legend>
            \(box("disagree", "where detectors disagree", query.disagrees))
            \(box("errors", "with errors", query.hasFailure))
            \(box("incomplete", "incomplete", query.isIncomplete))
            \(box("undecided", "without a consensus", query.lacksConsensus))
            \(box("unfused", "labels that only a detector named, too", query.includesUnfused))
            </fieldset>
            <div><button>Show</button> <a href="images">all</a></div>
            <datalist id="groups">\(HTML.first(groups.map(option), upTo: ImagesPage.choiceBytes).pieces)</datalist>
            <datalist id="labels">\(HTML.first(labels.map(option), upTo: ImagesPage.choiceBytes).pieces)</datalist>
            </form>
            """
    }

    private func option(_ value: String) -> HTML { "<option value=\"\(attribute: value)\">" }

    private func text(
        _ name: String, _ title: String, _ value: String?, list: String? = nil, type: String = "search",
        limits: HTML = .none
    ) -> HTML {
        let list: HTML? = list.map { " list=\"\($0)\"" }
        return """
            <label>\(title) <input name="\(name)" type="\(type)" value="\(attribute: value ?? "")"\(limits)\(list)></label>
            """
    }

    private func select(
        _ name: String, _ title: String, _ choices: [(value: String, name: String)], _ chosen: String?,
        none: String = "any"
    ) -> HTML {
        let options = choices.map { choice -> HTML in
            let selected: HTML = choice.value == chosen ? " selected" : ""
            return "<option value=\"\(attribute: choice.value)\"\(selected)>\(choice.name)</option>"
        }
        return "<label>\(title) <select name=\"\(name)\"><option value=\"\">\(none)</option>\(options)</select></label>"
    }

    private func box(_ name: String, _ title: String, _ isChecked: Bool) -> HTML {
        let checked: HTML = isChecked ? " checked" : ""
        return "<label class=\"box\"><input type=\"checkbox\" name=\"\(name)\" value=\"1\"\(checked)> \(title)</label>"
    }

    // MARK: What is found

    private var behind: HTML? {
        guard lag.images > 0 || lag.rows > 0 else { return nil }
        return """
            <p class="quiet">The index that filters use is behind by \(HTML.count(lag.images)) images and \
            \(HTML.count(lag.rows)) answers: what is new may be missing here for a moment.</p>
            """
    }

    private var grid: HTML {
        guard !page.tiles.isEmpty else {
            return page.searchedTo == nil ? "<p>No image matches.</p>" : .none
        }
        return "<ul class=\"grid\">\(page.tiles.map(tile))</ul>"
    }

    private func tile(_ tile: ImageTile) -> HTML {
        let labels = tile.labels.prefix(4).map { entry in
            (entry.boxes > 1 ? "\(entry.boxes) × " : "") + entry.label.printable(upTo: 40)
        }
        let emoji = tile.emoji.prefix(8).map { $0.emoji.printable(upTo: 12) }.joined(separator: " ")
        let failed: HTML? =
            tile.failed.isEmpty ? nil : "<span class=\"bad\">failed: \(tile.failed.joined(separator: ", "))</span>"
        let missing: HTML? =
            tile.missing.isEmpty || tile.state == .pending
            ? nil : "<span class=\"warn\">missing: \(tile.missing.joined(separator: ", "))</span>"
        let disagrees: HTML? = tile.disagrees == true ? "<span class=\"warn\">detectors disagree</span>" : nil
        return """
            <li><a href="images/\(tile.image.id)\(attribute: search.link())">\
            <img src="images/\(tile.image.id)/thumbnail" alt="" loading="lazy" width="160" height="160">\
            <span class="name">\(tile.image.title)</span></a>\
            <span class="emoji">\(emoji)</span><span>\(labels.joined(separator: ", "))</span>\
            <span class="quiet">\(tile.state.name)</span>\(failed)\(missing)\(disagrees)</li>
            """
    }

    private var turning: HTML {
        let searched: HTML? = page.searchedTo.map {
            """
            <p>So many images were looked at that the search stopped at image \($0). \
            <a href="images\(attribute: search.link(at: page.next ?? page.previous))">Go on from there</a></p>
            """
        }
        func link(_ cursor: ImageCursor?, _ text: String, _ relation: String) -> HTML? {
            cursor.map { "<a rel=\"\(relation)\" href=\"images\(attribute: search.link(at: $0))\">\(text)</a> " }
        }
        return """
            \(searched)<nav class="turning" aria-label="Pages of images">\
            \(link(page.previous, "← Previous", "prev"))\(link(page.next, "Next →", "next"))</nav>
            """
    }
}

extension ImageState {
    /// For people.
    var name: String {
        switch self {
        case .pending: "not begun"
        case .partial: "partly done"
        case .complete: "complete"
        case .completeWithErrors: "complete, with errors"
        }
    }
}
