/// One line of text as coverage, one byte for each pixel, cropped to its ink.
struct TextMask {
    var coverage: [UInt8]
    var width: Int
    var height: Int
    /// The distance from the top of the line to the ink, in pixels. Texts of one font with equal line tops share a
    /// baseline.
    var inkTop: Int
}
