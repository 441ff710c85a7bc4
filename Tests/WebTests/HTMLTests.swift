import Testing

@testable import Web

@Suite("HTML")
struct HTMLTests {
    @Test(
        "what is put in stands there as text, in an element and in an attribute, whatever it holds",
        arguments: [
            "<script>hacked()</script>", "</p><img src=x onerror=hacked()>", "\" onmouseover=\"hacked()", "' x='",
            "&lt;b&gt;", "<!--", "]]>", "\"\u{301} onclick=\"a", "<\u{338}b>", "'\u{20DD}", "a\0<b>\u{202E}",
        ])
    func text(payload: String) {
        let page: HTML = "<p title=\"\(attribute: payload)\">\(payload)</p>"
        let scalars = page.text.unicodeScalars
        #expect(scalars.count { $0 == "<" } == 2 && scalars.count { $0 == ">" } == 2, "\(page.text)")
        #expect(scalars.count { $0 == "\"" } == 2 && !scalars.contains("'"), "\(page.text)")
        #expect(!scalars.contains("\0"))
    }

    @Test("an attribute keeps its value, text shows what would steer it, and markup of ours is not escaped again")
    func values() {
        let attribute: HTML = "\(attribute: "a&b<c>\"'\0")"
        #expect(attribute.text == "a&amp;b&lt;c&gt;&quot;&#39;\u{FFFD}")
        let (text, nothing) = ("5 < 6 & \u{202E}x", HTML?.none)
        let cell: HTML = "<td>\(text)</td>"
        #expect(cell.text == #"<td>5 &lt; 6 &amp; \u202ex</td>"#)
        let row: HTML = "<tr>\(cell)\([cell, cell])\(nothing)\(7)</tr>"
        #expect(row.text == "<tr>\(cell.text)\(cell.text)\(cell.text)7</tr>")
    }
}
