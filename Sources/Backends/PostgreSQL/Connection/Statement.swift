import Foundation

/// SQL with `$1`… and the values for them, already in PostgreSQL's binary form.
struct Statement {
    let sql: String
    private(set) var parameters: Parameters

    init(_ sql: String, _ values: Value...) {
        self.sql = sql
        parameters = Parameters()
        for value in values { parameters.append(value) }
    }

    init(_ sql: String, values: [Value]) {
        self.sql = sql
        parameters = Parameters()
        for value in values { parameters.append(value) }
    }

    /// A value, with the type to which SQL casts it: `$1::bigint`, `$2::text[]`.
    enum Value {
        /// `bigint`.
        case integer(Int)
        /// `text`, or null.
        case text(String?)
        case uuid(UUID)
        /// `bigint[]`.
        case integers([Int])
        /// `double precision[]`. Values that are not finite become null.
        case doubles([Double])
        /// `text[]`.
        case texts([String?])
        case uuids([UUID])
        /// `jsonb[]`, each as the UTF-8 of a JSON text.
        case json([[UInt8]])
    }
}

/// The bytes of all parameters, in one buffer.
struct Parameters {
    private var bytes: [UInt8] = []
    /// nil stands for null.
    private var spans: [Range<Int>?] = []

    var count: Int { spans.count }

    /// Calls a function with what `PQsendQueryPrepared` takes: pointers, lengths and formats. They are valid during the
    /// call.
    func withPointers<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Result
    ) -> Result {
        bytes.withUnsafeBytes { buffer in
            // An empty value still has to point somewhere, since a null pointer means null.
            let empty: StaticString = ""
            let start = buffer.bindMemory(to: CChar.self).baseAddress
            let pointers = spans.map { span -> UnsafePointer<CChar>? in
                guard let span else { return nil }
                return start.map { $0 + span.lowerBound }
                    ?? UnsafeRawPointer(empty.utf8Start).assumingMemoryBound(to: CChar.self)
            }
            let lengths = spans.map { Int32($0?.count ?? 0) }
            let formats = [Int32](repeating: 1, count: spans.count)
            return pointers.withUnsafeBufferPointer { pointers in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        body(pointers.baseAddress, lengths.baseAddress, formats.baseAddress)
                    }
                }
            }
        }
    }

    mutating func append(_ value: Statement.Value) {
        let start = bytes.count
        switch value {
        case .integer(let number): append(Int64(number))
        case .text(nil):
            spans.append(nil)
            return
        case .text(let text?): bytes += text.utf8
        case .uuid(let id): append(id)
        case .integers(let numbers): appendArray(numbers, of: .bigint) { $0.append(sized: Int64($1)) }
        case .doubles(let numbers):
            appendArray(numbers, of: .double) {
                if $1.isFinite { $0.append(sized: Int64(bitPattern: $1.bitPattern)) } else { $0.append(Int32(-1)) }
            }
        case .texts(let texts):
            appendArray(texts, of: .text) { parameters, text in
                guard let text else { return parameters.append(Int32(-1)) }
                parameters.append(Int32(text.utf8.count))
                parameters.bytes += text.utf8
            }
        case .uuids(let ids):
            appendArray(ids, of: .uuid) {
                $0.append(Int32(16))
                $0.append($1)
            }
        case .json(let texts):
            bytes.reserveCapacity(bytes.count + texts.reduce(0) { $0 + $1.count + 5 } + 20)
            appendArray(texts, of: .jsonb) {
                $0.append(Int32($1.count + 1))
                // The version of the binary form. The text follows.
                $0.bytes.append(1)
                $0.bytes += $1
            }
        }
        spans.append(start..<bytes.count)
    }

    /// Object identifiers of pg_type, which never change.
    private enum ElementType: Int32 {
        case bigint = 20
        case text = 25
        case double = 701
        case uuid = 2950
        case jsonb = 3802
    }

    /// In the form of array_send: dimensions, whether there are nulls, type, size and first index, and the elements.
    private mutating func appendArray<Element>(
        _ elements: [Element], of type: ElementType, _ write: (inout Parameters, Element) -> Void
    ) {
        append(Int32(elements.isEmpty ? 0 : 1))
        append(Int32(1))
        append(type.rawValue)
        guard !elements.isEmpty else { return }
        append(Int32(elements.count))
        append(Int32(1))
        for element in elements { write(&self, element) }
    }

    private mutating func append(sized number: Int64) {
        append(Int32(8))
        append(number)
    }

    private mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
    }

    private mutating func append(_ id: UUID) { withUnsafeBytes(of: id.uuid) { bytes += $0 } }
}
