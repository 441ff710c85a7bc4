import Foundation
import Testing

@testable import Settings

/// A machine: a working directory with the files that a test puts there, removed at the end.
final class Machine {
    let path: String

    init(_ files: [String: String] = [:]) throws {
        path = NSTemporaryDirectory() + "farm-settings-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in files { try write(text, to: name) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws { try write(Data(text.utf8), to: name) }

    func write(_ data: Data, to name: String) throws {
        let file = URL(fileURLWithPath: path + "/" + name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
    }

    func load(_ environment: [String: String] = [:], file: String? = nil) throws(SettingsFault) -> Settings {
        try Settings.load(environment: environment, workingDirectory: path, environmentFile: file)
    }

    /// What is wrong, or nothing.
    func faults(_ environment: [String: String] = [:], file: String? = nil) -> [String] {
        do throws(SettingsFault) {
            _ = try load(environment, file: file)
            return []
        } catch {
            return error.faults
        }
    }
}

/// The faults of a process environment without any file.
func faults(_ environment: [String: String]) throws -> [String] { try Machine().faults(environment) }

/// The settings of a process environment without any file.
func settings(_ environment: [String: String]) throws -> Settings { try Machine().load(environment) }

/// All that the servers need.
let complete = [
    "QUEUE_HOST": "192.168.0.122", "QUEUE_USER": "animal_farm", "QUEUE_PASSWORD": "q",
    "DB_HOST": "192.168.0.121", "DB_NAME": "animal_farm", "DB_USER": "animal_farm_user", "DB_PASSWORD": "d",
    "MONITORING_DB_HOST": "192.168.0.101", "MONITORING_DB_NAME": "monitoring", "MONITORING_DB_USER": "worker_monitor",
    "MONITORING_DB_PASSWORD": "m",
]

/// `complete` with other values; an empty one counts as unset.
func complete(_ changes: [String: String]) -> [String: String] { complete.merging(changes) { $1 } }

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A machine whose service_config.json is this text.
func machine(_ text: String) throws -> Machine { try Machine(["service_config.json": text]) }
