import ArgumentParser
import Model

/// Words of the command line that are not UTF-8, such as a file name from an older system. Swift replaces their bytes,
/// so that they name something else.
struct DamagedArguments {
    /// The original words for people, by what Swift made of them, in their order.
    private var words: [String: [String]] = [:]

    init() {
        for place in 0..<Int(CommandLine.argc) {
            guard let start = CommandLine.unsafeArgv[place], String(validatingCString: start) == nil else { continue }
            words[String(cString: start), default: []].append(UncheckedName(start).shown)
        }
    }

    /// The original word. nil if the word is what was typed. If several words look the same, each is returned once.
    mutating func take(_ word: String) -> String? {
        guard let shown = words[word]?.first else { return nil }
        words[word]?.removeFirst()
        return shown
    }

    /// - Throws: `CommandFailure` for a damaged word, unless it is a file name that the command reports by itself.
    static func check(_ command: any ParsableCommand) throws(CommandFailure) {
        let told = (command as? any ImportingCommand)?.paths ?? []
        let untold = DamagedArguments().words.filter { !told.contains($0.key) }.flatMap(\.value).sorted()
        guard !untold.isEmpty else { return }
        throw .unusable("\(untold.joined(separator: ", ")): not UTF-8; a file of such a name has to be renamed")
    }
}

/// A command that imports its arguments, and refuses those that it cannot import.
protocol ImportingCommand: AsyncParsableCommand {
    var paths: [String] { get }
}

extension ImportCommand: ImportingCommand {}
extension RunCommand: ImportingCommand {}
