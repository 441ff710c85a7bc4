import Foundation

/// A whole page: what all of them have around their content.
struct Page {
    /// The pages that every page leads to, in the order of the menu.
    enum Section: CaseIterable {
        case farm, workers, images, dead, quality, audit

        fileprivate var path: String {
            switch self {
            case .farm: "./"
            case .workers: "workers"
            case .images: "images"
            case .dead: "dead"
            case .quality: "quality"
            case .audit: "audit"
            }
        }

        fileprivate var name: String {
            switch self {
            case .farm: "Farm"
            case .workers: "Workers"
            case .images: "Images"
            case .dead: "Dead letters"
            case .quality: "Quality"
            case .audit: "Acts"
            }
        }
    }

    /// The title of the window, before the program's name.
    var title: String
    /// nil: none of those in the menu.
    var section: Section?
    /// How many steps the page lies beneath the root: its links climb so many. All are relative, so that any path before the
    /// root, which a proxy puts there, stays.
    var depth = 0
    /// What its reader may do.
    var access: Access
    /// Its content comes anew by itself.
    var isLive = false
    /// What an act has done, or why it has not.
    var notice: Notice?
    /// How old what it shows is; nil where the content says so, or shows nothing that ages.
    var made: Date?
    /// What stands between the menu and the end of the page.
    var content: HTML
    /// What stands below that and never comes anew by itself: forms, which somebody may be filling in.
    var forms: HTML?

    /// What an act came to.
    struct Notice: Equatable {
        var text: String
        var isFault = false
    }

    /// The way from this page to the root.
    var root: String { String(repeating: "../", count: depth) }

    /// As it is sent.
    var html: HTML {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(title) · farm</title>
        <link rel="icon" href="\(root)\(Asset.icon.link)">
        <link rel="stylesheet" href="\(root)\(Asset.style.link)">
        <script type="module" src="\(root)\(Asset.script.link)"></script>
        \(isLive && forms == nil ? HTML("<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>") : .none)
        </head>
        <body data-root="\(attribute: root)"\(isLive ? HTML(" data-live") : .none)>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
        <nav aria-label="Pages"><ul>\(Section.allCases.map(link))</ul></nav>
        \(session)
        </header>
        <main id="content">
        <div id="notice" role="status" aria-live="polite">\(noticeText)</div>
        <div id="live">\(content)</div>
        \(forms)
        \(made.map { "<p class=\"quiet\">As of \(HTML.time($0)).</p>" as HTML })
        </main>
        </body>
        </html>
        """
    }

    private func link(_ other: Section) -> HTML {
        let current: HTML = other == section ? " aria-current=\"page\"" : ""
        return "<li><a href=\"\(attribute: root + other.path)\"\(current)>\(other.name)</a></li>"
    }

    private var noticeText: HTML? {
        notice.map { "<p class=\"\($0.isFault ? "fault" : "done")\">\($0.text)</p>" }
    }

    /// Who reads, where that needed a token.
    private var session: HTML {
        guard access.isLoggedIn else { return .none }
        let may: HTML = access.mayAct ? .none : "<span class=\"quiet\">reading only</span> "
        return """
            <form method="post" action="\(attribute: root)logout">\(may)<button>Log out</button></form>
            """
    }
}
