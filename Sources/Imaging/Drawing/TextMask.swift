/// One line of text as coverage, a byte a pixel, cropped to its ink.
struct TextMask {
    var coverage: [UInt8]
    var width: Int
    var height: Int
    /// Pixels from the top of the line to the ink: texts of one font with equal line tops share a baseline.
    var inkTop: Int
}
