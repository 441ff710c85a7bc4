import Foundation
import Model

extension Settings {
    /// Whether this is a variable that farm reads.
    public static func reads(_ variable: String) -> Bool { Variable(rawValue: variable) != nil }

    /// Reads and checks everything. It blocks while it reads files.
    /// - Parameters:
    ///   - environment: the process environment, which overrides the file.
    ///   - workingDirectory: where relative paths begin.
    ///   - environmentFile: the file that `--env-file` names. nil for `.env`, if it exists.
    /// - Throws: everything that is missing or malformed, at once.
    public static func load(
        environment: [String: String], workingDirectory: String, environmentFile: String?
    ) throws(SettingsFault) -> Settings {
        let findings = SettingsProblems()
        let entries = readEnvironmentFile(environmentFile, in: workingDirectory, findings)
        let variables = Variables(
            process: environment, file: entries ?? [], workingDirectory: workingDirectory, findings: findings)
        warnOfOlderVariables(environment, entries ?? [], findings)
        var settings = Settings(variables)
        settings.environmentFile = entries == nil ? nil : environmentFile ?? ".env"
        guard findings.faults.isEmpty else { throw SettingsFault(faults: findings.faults) }
        return settings
    }

    private init(_ variables: Variables) {
        let findings = variables.findings
        embeddedPathIsExplicit = variables.isSet(.farmDatabase)
        embeddedPath = variables.text(.farmDatabase) ?? "farm.db"
        let backends = BackendSettings(variables, embeddedIsWanted: embeddedPathIsExplicit)
        (queue, database, monitoring) = (backends.queue, backends.database, backends.monitoring)
        monitoringEnabled = backends.monitoringEnabled

        var tries = TryRule()
        tries.timeout = variables.duration(.requestTimeout, in: .timeout) ?? tries.timeout
        tries.maxRetries = variables.integer(.maxRetries, in: .tries) ?? tries.maxRetries
        tries.retryDelay = variables.duration(.retryDelay, in: .retryDelay) ?? tries.retryDelay
        if let fault = tries.fault { findings.fault("REQUEST_TIMEOUT, MAX_RETRIES, RETRY_DELAY", fault) }
        (requestTimeout, maxRetries, retryDelay) = (tries.timeout, tries.maxRetries, tries.retryDelay)
        processingDelay = variables.duration(.processingDelay, in: .seconds(0...60)) ?? .zero
        heartbeatInterval = variables.duration(.heartbeatInterval, in: .seconds(0.1...3600)) ?? .seconds(60)
        shutdownTimeout = variables.duration(.shutdownTimeout, in: .seconds(0...280)) ?? .seconds(10)
        defaultConfidence = variables.number(.defaultConfidence, in: .fraction) ?? 0.75
        metricsListen = variables.listenAddress(.metricsListen)
        web = WebSettings(variables)
        webCache = WebCacheSettings(variables)
        webhooks = WebhookSettings(variables)
        traces = TraceSettings(variables)
        prefetch = variables.integer(.workerPrefetchCount, in: 1...65_535)

        imageRoot = variables.text(.imageRoot).map {
            PathText.absolute(SmallFile.resolve($0, in: variables.workingDirectory))
        }
        uploadFolder = WebSettings.uploadFolder(variables, imageRoot: imageRoot)
        deniesPrivateImageURLs = variables.flag(.denyPrivateImageURLs) ?? false
        workerID = WorkerIDRule(variables)
        serviceName = variables.text(.serviceName)
        log = LogSettings(variables)
        services =
            ConfigurationFile(variables).map { ServiceConfiguration($0, tries: tries, findings) }
            ?? .catalogue(tries: tries)
        warnings = findings.warnings
    }

    /// - Returns: nil if there is no such file.
    private static func readEnvironmentFile(
        _ named: String?, in workingDirectory: String, _ findings: SettingsProblems
    ) -> [EnvironmentFile.Entry]? {
        let path = named ?? ".env"
        do throws(SmallFile.Fault) {
            let place = SmallFile.resolve(path, in: workingDirectory)
            let file = EnvironmentFile(parsing: try SmallFile.bytes(of: place, limit: 1 << 20))
            for fault in file.faults { findings.fault("\(path.shown): line \(fault.line)", fault.reason) }
            warnOfEntries(file.entries, path.shown, findings)
            return file.entries
        } catch .missing where named == nil {
            return nil
        } catch {
            findings.fault(path.shown, error.reason)
            return []
        }
    }

    private static func warnOfEntries(_ entries: [EnvironmentFile.Entry], _ path: String, _ findings: SettingsProblems)
    {
        var lines: [Variable: Int] = [:]
        var unknown: [String] = []
        for entry in entries {
            guard let variable = Variable(rawValue: entry.name) else {
                if !Variable.older.contains(where: { $0.key == entry.name }) { unknown.append(label(of: entry)) }
                continue
            }
            if entry.value == nil {
                findings.warning("\(path): line \(entry.line)", "\(entry.name) without = sets nothing")
            }
            if entry.value?.contains("${") == true && variable.fileVariant == nil {
                findings.warning(
                    "\(path): line \(entry.line)", "${…} in \(entry.name) is not expanded, it is taken as it is")
            }
            if let first = lines.updateValue(entry.line, forKey: variable) {
                findings.warning(path, "\(entry.name) is in lines \(first) and \(entry.line), the last one counts")
            }
        }
        if !unknown.isEmpty { findings.warning(path, "unknown and ignored: \(someOf(unknown))") }
    }

    /// The name of an entry, if it looks like one. A line of a key that lost its quotes may look like a name, too.
    private static func label(of entry: EnvironmentFile.Entry) -> String {
        let looksLikeName =
            entry.value != nil && entry.name.utf8.count <= 40
            && entry.name.utf8.allSatisfy {
                UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    || $0 == UInt8(ascii: "_")
            }
        return looksLikeName ? entry.name : "line \(entry.line)"
    }

    private static func warnOfOlderVariables(
        _ environment: [String: String], _ entries: [EnvironmentFile.Entry], _ findings: SettingsProblems
    ) {
        let names = Set(entries.map(\.name)).union(environment.keys)
        for (name, reason) in Variable.older where names.contains(name) { findings.warning(name, reason) }
    }
}
