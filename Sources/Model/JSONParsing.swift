import CJSON

/// Why a text is refused as JSON.
public enum JSONFault: Error, Equatable, CustomStringConvertible {
    /// It is not JSON, or not UTF-8. The value is the parser's reason.
    case malformed(String)
    /// Containers are nested more deeply than this limit.
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
    /// How deeply containers may be nested in input from outside.
    public static let maximumDepth = 64

    /// Which part of a text becomes values. All of it is checked, but making values takes longer than checking.
    public enum Extent: Sendable {
        case all
        /// The member of this name, if the text is an object. Other texts are read in full.
        case member(String)
        /// Containers below this depth become empty. At 1, these are the containers inside the text's own elements.
        case levels(Int)
    }

    /// Parses UTF-8 text with simdjson, which checks the encoding, refuses NaN and Infinity, and limits the depth.
    public init(
        parsing bytes: some Collection<UInt8>, maximumDepth: Int = JSON.maximumDepth, reading extent: Extent = .all
    ) throws(JSONFault) {
        // A stored answer is nearly always contiguous. Other bytes are copied once.
        if let parsed = bytes.withContiguousStorageIfAvailable({ JSON.parse($0, maximumDepth, extent) }) {
            self = try parsed.get()
        } else {
            self = try Array(bytes).withUnsafeBufferPointer { JSON.parse($0, maximumDepth, extent) }.get()
        }
    }

    /// Parses the UTF-8 of a text.
    public init(parsing text: String, maximumDepth: Int = JSON.maximumDepth) throws(JSONFault) {
        try self.init(parsing: text.utf8, maximumDepth: maximumDepth)
    }

    private static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, _ maximumDepth: Int, _ extent: Extent
    ) -> Result<JSON, JSONFault> {
        var document: OpaquePointer?
        var message: UnsafePointer<CChar>?
        let status =
            switch extent {
            case .all: cjson_parse(bytes.baseAddress, bytes.count, maximumDepth, nil, .max, &document, &message)
            case .member(let name):
                cjson_parse(bytes.baseAddress, bytes.count, maximumDepth, name, .max, &document, &message)
            case .levels(let levels):
                cjson_parse(bytes.baseAddress, bytes.count, maximumDepth, nil, levels, &document, &message)
            }
        switch status {
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
        // Filling an array writes its count, and all empty arrays share one object between threads.
        case CJSON_ARRAY.rawValue where current.count == 0: self = .array([])
        case CJSON_OBJECT.rawValue where current.count == 0: self = .object([])
        case CJSON_ARRAY.rawValue:
            self = .array(
                [JSON](unsafeUninitializedCapacity: current.count) { buffer, count in
                    while count < current.count {
                        buffer.initializeElement(at: count, to: JSON(reading: &node))
                        count += 1
                    }
                })
        case CJSON_OBJECT.rawValue:
            self = .object(
                [Member](unsafeUninitializedCapacity: current.count) { buffer, count in
                    while count < current.count {
                        let key = JSON.text(of: node.pointee)
                        node += 1
                        buffer.initializeElement(at: count, to: Member(key, JSON(reading: &node)))
                        count += 1
                    }
                })
        default: self = .null
        }
    }

    private static func text(of node: cjson_node) -> String {
        let bytes = UnsafeRawPointer(node.string)?.assumingMemoryBound(to: UInt8.self)
        return String(decoding: UnsafeBufferPointer(start: bytes, count: node.count), as: UTF8.self)
    }
}
