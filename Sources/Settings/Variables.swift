/// The variables of the process environment and of the `.env` file, read one by one and by type. The process
/// environment wins, even with an empty value, which counts as unset.
///
/// No message quotes a value unless it is a number, since a password may be under a wrong name.
struct Variables {
    enum Source { case process, file }

    private struct Entry {
        var value: String
        var source: Source
    }

    let findings: SettingsProblems
    let workingDirectory: String
    private var entries: [Variable: Entry] = [:]

    init(process: [String: String], file: [EnvironmentFile.Entry], workingDirectory: String, findings: SettingsProblems)
    {
        self.findings = findings
        self.workingDirectory = workingDirectory
        for entry in file {
            guard let variable = Variable(rawValue: entry.name), let value = entry.value else { continue }
            entries[variable] = Entry(value: value, source: .file)
        }
        for variable in Variable.allCases {
            guard let value = process[variable.rawValue] else { continue }
            entries[variable] = Entry(value: value, source: .process)
        }
    }

    /// Whether the variable has a value. A secret may have it in a file.
    func isSet(_ variable: Variable) -> Bool {
        raw(variable) != nil || (variable.fileVariant.map(isSet) ?? false)
    }

    func source(_ variable: Variable) -> Source? { raw(variable) == nil ? nil : entries[variable]?.source }

    /// The text without surrounding blanks.
    func text(_ variable: Variable) -> String? {
        guard let value = raw(variable)?.trimmed else { return nil }
        guard !value.holdsControls else { return fault(variable, "must not hold control characters") }
        return value
    }

    /// One of a few words, in upper or lower case.
    func choice<Choice>(_ variable: Variable, _ choices: KeyValuePairs<String, Choice>) -> Choice? {
        guard let word = text(variable)?.lowercased() else { return nil }
        if let match = choices.first(where: { $0.key.lowercased() == word }) { return match.value }
        return fault(variable, "must be \(listing(choices.map(\.key), "or"))")
    }

    func flag(_ variable: Variable) -> Bool? {
        guard let word = text(variable)?.lowercased() else { return nil }
        switch word {
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        default: return fault(variable, "must be true or false")
        }
    }

    func integer(_ variable: Variable, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(variable) else { return nil }
        let wanted = "must be a whole number, \(range.lowerBound)…\(range.upperBound)"
        guard let number = Int(text) else { return fault(variable, wanted) }
        guard range.contains(number) else { return fault(variable, wanted + ", is \(number)") }
        return number
    }

    func number(_ variable: Variable, in range: NumberRange) -> Double? {
        guard let text = text(variable) else { return nil }
        let digits = text.utf8.allSatisfy { "0123456789.+-eE".utf8.contains($0) }
        guard digits, let number = Double(text) else { return fault(variable, range.requirement) }
        guard range.contains(number) else { return fault(variable, range.requirement + ", is \(number.plain)") }
        return number
    }

    func duration(_ variable: Variable, in range: NumberRange) -> Duration? {
        number(variable, in: range).map(Duration.init(seconds:))
    }

    /// A host name or address; see `HostName`.
    func host(_ variable: Variable) -> String? {
        guard let text = text(variable) else { return nil }
        return HostName.parse(text) ?? fault(variable, HostName.requirement)
    }

    /// A port, from 1 to 65535.
    func port(_ variable: Variable) -> Int? { integer(variable, in: 1...65_535) }

    /// The path of a certificate file, which must exist.
    func certificates(_ variable: Variable) -> String? {
        guard let path = text(variable) else { return nil }
        do {
            _ = try SmallFile.bytes(of: SmallFile.resolve(path, in: workingDirectory), limit: 16 << 20)
            return path
        } catch {
            return fault(variable, "the file \(error.reason)")
        }
    }

    /// A password, from the variable or from the file that its `…_FILE` variant names.
    func secret(_ variable: Variable) -> Secret? {
        guard let variant = variable.fileVariant, let path = text(variant) else {
            return raw(variable).flatMap { checked($0, variable) }
        }
        guard raw(variable) == nil else {
            return fault(variable, "is set, and \(variant.rawValue) too; set one of them")
        }
        do {
            let bytes = try SmallFile.bytes(of: SmallFile.resolve(path, in: workingDirectory), limit: 65_536)
            guard var text = bytes.utf8Text else { return fault(variant, "the file is not UTF-8 text") }
            if text.last?.isNewline == true { text.removeLast() }
            guard !text.isEmpty else { return fault(variant, "the file is empty") }
            return checked(text, variant)
        } catch {
            return fault(variant, "the file \(error.reason)")
        }
    }

    func fault(_ variable: Variable, _ what: String) { findings.fault(variable.rawValue, what) }

    private func fault<Value>(_ variable: Variable, _ what: String) -> Value? {
        findings.fault(variable.rawValue, what)
        return nil
    }

    private func raw(_ variable: Variable) -> String? {
        guard let value = entries[variable]?.value, !value.isEmpty else { return nil }
        // A password may consist of blanks; a host, number or path may not.
        return variable.fileVariant == nil && value.trimmed.isEmpty ? nil : value
    }

    private func checked(_ text: String, _ variable: Variable) -> Secret? {
        text.utf8.contains(0) ? fault(variable, "must not hold a NUL character") : Secret(text)
    }
}
