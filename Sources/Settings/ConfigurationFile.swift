import Model

/// Finds and reads service_config.json.
struct ConfigurationFile {
    static let limit = 1 << 20
    static let defaultPaths = ["service_config.json", "config/service_config.json"]

    /// The path as it was named.
    let path: String
    let root: JSON

    /// The named file, or else the first default file that exists. nil if there is none, or if it has a fault.
    init?(_ variables: Variables) {
        let named = variables.text(.serviceConfig)
        for path in named.map({ [$0] }) ?? Self.defaultPaths {
            do throws(SmallFile.Fault) {
                let place = SmallFile.resolve(path, in: variables.workingDirectory)
                let bytes = try SmallFile.bytes(of: place, limit: Self.limit)
                guard let root = Self.parse(bytes, path.shown, variables.findings) else { return nil }
                (self.path, self.root) = (path, root)
                return
            } catch .missing where named == nil {
                continue
            } catch {
                variables.findings.fault(named == nil ? path : "SERVICE_CONFIG: \(path.shown)", error.reason)
                return nil
            }
        }
        return nil
    }

    private static func parse(_ bytes: [UInt8], _ path: String, _ findings: SettingsProblems) -> JSON? {
        guard let text = bytes.utf8Text else {
            findings.fault(path, "is not UTF-8")
            return nil
        }
        do throws(JSONFault) {
            return try JSON(parsing: text)
        } catch {
            let line = JSONFaultFinder.line(in: text).map { ", line \($0)" } ?? ""
            findings.fault(path, "is not JSON\(line): \(error)")
            return nil
        }
    }
}
