import Model

/// Reads the members of one object of the file by type. Anything wrong becomes a fault with its place. A member that is
/// null counts as missing.
struct ObjectReader {
    /// For example `service_config.json: services.blip`.
    let place: String
    let findings: SettingsProblems
    private let members: [String: JSON]

    /// nil, and a fault, if the value is not an object. Warns about keys that nobody reads.
    init?(
        _ value: JSON, at place: String, known: Set<String>, ignored: [String: String] = [:],
        _ findings: SettingsProblems
    ) {
        guard let pairs = value.objectValue else {
            findings.fault(place, "must be an object, is \(value.kind)")
            return nil
        }
        self.place = place
        self.findings = findings
        members = Dictionary(pairs.map { ($0.key, $0.value) }) { _, last in last }
        warn(pairs.map(\.key), known: known, ignored: ignored)
    }

    private func warn(_ keys: [String], known: Set<String>, ignored: [String: String]) {
        var seen: Set<String> = []
        var repeated: [String] = []
        var unknown: [String] = []
        for key in keys {
            guard seen.insert(key).inserted else {
                repeated.append(key.shown)
                continue
            }
            if let reason = ignored[key] {
                findings.warning("\(place).\(key)", "ignored: \(reason)")
            } else if !known.contains(key) {
                unknown.append(key.shown)
            }
        }
        if !repeated.isEmpty { findings.warning(place, "given twice, the last one counts: \(someOf(repeated))") }
        if !unknown.isEmpty { findings.warning(place, "unknown and ignored: \(someOf(unknown))") }
    }

    func value(_ key: String) -> JSON? { members[key] == .some(.null) ? .none : members[key] }

    func text(_ key: String) -> String? {
        guard let value = value(key) else { return nil }
        return value.stringValue ?? fault(key, "must be a string, is \(value.kind)")
    }

    func flag(_ key: String) -> Bool? {
        guard let value = value(key) else { return nil }
        return value.boolValue ?? fault(key, "must be true or false, is \(value.kind)")
    }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(key) else { return nil }
        let wanted = "must be \(range.lowerBound)…\(range.upperBound)"
        guard let number = value.numberValue else { return fault(key, "\(wanted), is \(value.kind)") }
        guard let whole = value.integerValue, range.contains(whole) else {
            return fault(key, "\(wanted), is \(number.plain)")
        }
        return whole
    }

    func number(_ key: String, in range: NumberRange) -> Double? {
        guard let value = value(key) else { return nil }
        guard let number = value.numberValue else { return fault(key, "\(range.requirement), is \(value.kind)") }
        guard range.contains(number) else { return fault(key, "\(range.requirement), is \(number.plain)") }
        return number
    }

    func choice<Choice: CaseIterable & RawRepresentable<String>>(_ key: String, _: Choice.Type) -> Choice? {
        guard let word = text(key) else { return nil }
        let all = Choice.allCases.map(\.rawValue)
        return Choice(rawValue: word) ?? fault(key, "must be \(listing(all, "or")), is \"\(word.shown)\"")
    }

    /// Media types of pictures. JPEG is always included, since other formats are converted to it.
    func formats(_ key: String) -> Set<PictureFormat>? {
        guard let value = value(key) else { return nil }
        guard let elements = value.arrayValue else {
            return fault(key, "must be an array of media types, such as [\"image/heic\"], is \(value.kind)")
        }
        var formats: Set<PictureFormat> = [.jpeg]
        for element in elements {
            guard let type = element.stringValue else {
                return fault(key, "must hold media types, such as \"image/heic\", holds \(element.kind)")
            }
            let named = PictureFormat.formats(of: type)
            if named.isEmpty {
                let known = PictureFormat.allCases.map { $0.mediaTypes[0] } + ["image/*"]
                findings.warning(
                    "\(place).\(key)", "farm posts no \"\(type.shown)\": it knows \(known.joined(separator: ", "))")
            }
            formats.formUnion(named)
        }
        return formats
    }

    func host(_ key: String) -> String? {
        guard let text = text(key) else { return nil }
        return HostName.parse(text) ?? fault(key, HostName.requirement)
    }

    /// The path of a URL: a slash and printable ASCII, without query and fragment.
    func path(_ key: String) -> String? {
        guard let text = text(key) else { return nil }
        let isPath =
            text.hasPrefix("/") && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"?#\\".utf8.contains($0) }
        return isPath ? text : fault(key, "must be a path that begins with / and has no blank, ? or #")
    }

    func fault<Value>(_ key: String, _ what: String) -> Value? {
        findings.fault("\(place).\(key)", what)
        return nil
    }
}

extension JSON {
    /// The type of a value, for a message that must not quote it.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int, .double: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
