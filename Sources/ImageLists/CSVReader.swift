/// Reads comma-separated values (RFC 4180): quoted fields with doubled quotes and line breaks, lines that end with CR
/// LF, LF or CR, and a UTF-8 BOM. It takes bytes and returns records, so a file of any length needs the memory of one
/// record.
struct CSVReader {
    /// A record, and the number of its first line, counted from 1.
    struct Record: Equatable {
        var line: Int
        var fields: [String]
        /// Whether all bytes were UTF-8. Others are replaced.
        var isUTF8 = true
    }

    /// A place that is not CSV. It is unknown where the next record would begin.
    struct Fault: Error, Equatable {
        var line: Int
        var message: String
    }

    private enum Place { case fieldStart, unquoted, quoted, quoteInQuoted }

    private static let recordLimit = 1 << 20

    private var place = Place.fieldStart
    private var field: [UInt8] = []
    private var fields: [String] = []
    private var size = 0
    private var isUTF8 = true
    private var line = 1
    private var recordLine = 1
    private var bom = 0
    /// Whether the previous byte was a CR. A following LF belongs to it.
    private var isAfterCR = false

    /// - Throws: `Fault` for a misplaced quote, or a record larger than 1 MiB.
    mutating func read(_ bytes: some Sequence<UInt8>, _ body: (Record) throws -> Void) throws {
        for byte in bytes {
            if bom < 3 {
                let isBOM = byte == [0xEF, 0xBB, 0xBF][bom]
                bom = isBOM ? bom + 1 : 3
                if isBOM { continue }
            }
            try read(byte, body)
        }
    }

    /// Returns the last record, if no line break ends it.
    mutating func finish(_ body: (Record) throws -> Void) throws {
        if place == .quoted { throw Fault(line: recordLine, message: "a quoted field is not closed") }
        if place != .fieldStart || !fields.isEmpty { try endRecord(body) }
    }

    private mutating func read(_ byte: UInt8, _ body: (Record) throws -> Void) throws {
        size += 1
        guard size <= CSVReader.recordLimit else { throw Fault(line: recordLine, message: "a record of over 1 MiB") }
        let endsWithCR = isAfterCR && byte == UInt8(ascii: "\n")
        isAfterCR = byte == UInt8(ascii: "\r")
        let isBreak = isAfterCR || byte == UInt8(ascii: "\n")
        if isBreak, !endsWithCR { line += 1 }
        switch (place, byte) {
        case (.quoted, UInt8(ascii: "\"")): place = .quoteInQuoted
        case (.quoted, _): field.append(byte)
        case (.quoteInQuoted, UInt8(ascii: "\"")):
            field.append(byte)
            place = .quoted
        case (_, UInt8(ascii: ",")): endField()
        case (.fieldStart, _) where isBreak && fields.isEmpty:
            if !endsWithCR { startRecord() }
        case (_, _) where isBreak: try endRecord(body)
        case (.quoteInQuoted, _): throw Fault(line: line, message: "text after a closing quote")
        case (.fieldStart, UInt8(ascii: "\"")): place = .quoted
        default:
            field.append(byte)
            place = .unquoted
        }
    }

    private mutating func endField() {
        let text = String(validating: field, as: UTF8.self)
        if text == nil { isUTF8 = false }
        fields.append(text ?? String(decoding: field, as: UTF8.self))
        field.removeAll(keepingCapacity: true)
        place = .fieldStart
    }

    private mutating func endRecord(_ body: (Record) throws -> Void) throws {
        endField()
        let record = Record(line: recordLine, fields: fields, isUTF8: isUTF8)
        startRecord()
        try body(record)
    }

    private mutating func startRecord() {
        fields.removeAll(keepingCapacity: true)
        size = 0
        isUTF8 = true
        recordLine = line
    }
}
