import Model

extension String {
    /// On one line, at most so many characters, with nothing that steers a terminal.
    package func printable(upTo limit: Int) -> String {
        // Cut before, so that a long text is not made longer first.
        let text = String(prefix(limit + 1)).escapingSteering()
        return text.count > limit ? text.prefix(limit - 1) + "…" : text
    }
}
