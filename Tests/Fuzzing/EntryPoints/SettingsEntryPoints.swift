import Foundation
import Model
import Settings

extension EntryPoint {
    /// `.env`.
    static let environmentFile = EntryPoint(name: "env") { input in
        try Scratch.use("env", input) { folder, path in
            try load([:], folder, environmentFile: path)
        }
    }

    /// service_config.json.
    static let serviceConfiguration = EntryPoint(name: "service_config") { input in
        try Scratch.use("service_config", input) { folder, path in
            try load(["SERVICE_CONFIG": path], folder)
        }
    }

    private static func load(
        _ environment: [String: String], _ folder: String, environmentFile: String? = nil
    ) throws {
        let loaded = Result { () throws(SettingsFault) in
            try Settings.load(environment: environment, workingDirectory: folder, environmentFile: environmentFile)
        }
        switch loaded {
        case .success(let settings):
            for service in settings.services.services {
                try promise((1...65_535).contains(service.port), "port \(service.port)")
                try promise(!service.queue.isEmpty, "no queue")
            }
            try promise(settings.warnings.allSatisfy(\.isPlain), "a warning that steers the terminal")
        case .failure(let fault):
            try promise(!fault.faults.isEmpty, "a fault without a reason")
            try promise(fault.faults.allSatisfy(\.isPlain), "a fault that steers the terminal: \(fault.faults)")
        }
    }
}

extension String {
    /// Whether it may be shown on a terminal as it is.
    var isPlain: Bool { !unicodeScalars.contains(where: \.isSteering) }
}

/// A file that holds the present input: each entry point writes its own again and again.
enum Scratch {
    private static let folder: String = {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "farm-fuzzing-\(ProcessInfo.processInfo.processIdentifier)"
        ).path
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }()

    static func use(_ name: String, _ input: [UInt8], _ body: (_ folder: String, _ path: String) throws -> Void) throws
    {
        let path = folder + "/" + name
        guard let file = fopen(path, "w") else { throw Broken(description: "\(path) cannot be written") }
        fwrite(input, 1, input.count, file)
        fclose(file)
        try body(folder, path)
    }
}
