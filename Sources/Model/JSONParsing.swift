import CJSON

/// Why a text is not taken as JSON.
public enum JSONFault: Error, Equatable, CustomStringConvertible {
    /// Not JSON at all, or not UTF-8; with the parser's reason.
    case malformed(String)
    /// Containers nested deeper than this limit.
    case tooDeep(Int)

    /// One line for people.
    public var description: String {
        switch self {
        case .malformed(let reason): reason
        case .tooDeep(let limit): "nested deeper than \(limit)"
        }
    }
}

extension JSON {
    /// How deep containers may be nested in what comes from outside.
    public static let maximumDepth = 64

    /// Parses UTF-8 text with simdjson, which checks the encoding, refuses NaN and Infinity and limits the depth.
    public init(parsing bytes: some Collection<UInt8>, maximumDepth: Int = JSON.maximumDepth) throws(JSONFault) {
        // A stored answer is contiguous nearly always; what is not is copied once.
        if let parsed = bytes.withContiguousStorageIfAvailable({ JSON.parse($0, maximumDepth) }) {
            self = try parsed.get()
        } else {
            self = try Array(bytes).withUnsafeBufferPointer { JSON.parse($0, maximumDepth) }.get()
        }
    }

    /// Parses the text's UTF-8.
    public init(parsing text: String, maximumDepth: Int = JSON.maximumDepth) throws(JSONFault) {
        try self.init(parsing: text.utf8, maximumDepth: maximumDepth)
    }

    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>, _ maximumDepth: Int) -> Result<JSON, JSONFault> {
        var document: OpaquePointer?
        var message: UnsafePointer<CChar>?
        switch cjson_parse(bytes.baseAddress, bytes.count, maximumDepth, &document, &message) {
        case CJSON_OK: break
        case CJSON_TOO_DEEP: return .failure(.tooDeep(maximumDepth))
        default: return .failure(.malformed(message.map { String(cString: $0) } ?? "not JSON"))
        }
        defer { cjson_free(document) }
        guard var node = cjson_nodes(document) else { return .failure(.malformed("empty")) }
        return .success(JSON(reading: &node))
    }

    private init(reading node: inout UnsafePointer<cjson_node>) {
        let current = node.pointee
        node += 1
        switch UInt32(current.kind) {
        case CJSON_BOOL.rawValue: self = .bool(current.boolean)
        case CJSON_INT.rawValue: self = .int(current.integer)
        case CJSON_DOUBLE.rawValue: self = .double(current.number)
        case CJSON_STRING.rawValue: self = .string(JSON.text(of: current))
        case CJSON_ARRAY.rawValue:
            var elements: [JSON] = []
            elements.reserveCapacity(current.count)
            for _ in 0..<current.count { elements.append(JSON(reading: &node)) }
            self = .array(elements)
        case CJSON_OBJECT.rawValue:
            var members: [Member] = []
            members.reserveCapacity(current.count)
            for _ in 0..<current.count {
                let key = JSON.text(of: node.pointee)
                node += 1
                members.append(Member(key, JSON(reading: &node)))
            }
            self = .object(members)
        default: self = .null
        }
    }

    private static func text(of node: cjson_node) -> String {
        let bytes = UnsafeRawBufferPointer(start: node.string, count: node.count)
        return String(decoding: bytes, as: UTF8.self)
    }
}
