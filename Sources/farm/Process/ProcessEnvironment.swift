import Foundation
import Model
import Settings

/// The variables with which this process was started.
enum ProcessEnvironment {
    /// - Throws: `CommandFailure` if one of farm's variables is not UTF-8, since it would be read as another value.
    static func variables() throws(CommandFailure) -> [String: String] {
        var damaged: [String] = []
        var place = environ
        while let entry = place.pointee {
            place += 1
            guard String(validatingCString: entry) == nil else { continue }
            let name = UncheckedName(entry).bytes.prefix { $0 != UInt8(ascii: "=") }
            damaged.append(String(decoding: name, as: UTF8.self))
        }
        let read = damaged.filter(Settings.reads).sorted()
        guard read.isEmpty else {
            throw .unusable("\(read.joined(separator: ", ")) in the environment: the value is not UTF-8")
        }
        return ProcessInfo.processInfo.environment
    }
}
