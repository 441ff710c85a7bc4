import ArgumentParser
import Model

/// Words of the command line that are not UTF-8, such as a name of a file from an older system. Swift hands them over with
/// their bytes replaced, so that they name something else.
struct DamagedArguments {
    /// What the bytes were, for people, by what Swift made of them; in their order.
    private var words: [String: [String]] = [:]

    init() {
        for place in 0..<Int(CommandLine.argc) {
            guard let start = CommandLine.unsafeArgv[place], String(validatingCString: start) == nil else { continue }
            words[String(cString: start), default: []].append(UncheckedName(start).shown)
        }
    }

    /// What a word was; nil if it is what was typed. Of words that look the same each is told once.
    mutating func take(_ word: String) -> String? {
        guard let shown = words[word]?.first else { return nil }
        words[word]?.removeFirst()
        return shown
    }

    /// - Throws: `CommandFailure` for a damaged word, unless it is the name of a file that the command tells of itself.
    static func check(_ command: any ParsableCommand) throws(CommandFailure) {
        let told = (command as? any ImportingCommand)?.paths ?? []
        let untold = DamagedArguments().words.filter { !told.contains($0.key) }.flatMap(\.value).sorted()
        guard !untold.isEmpty else { return }
        throw .unusable("\(untold.joined(separator: ", ")): not UTF-8; a file of such a name has to be renamed")
    }
}

/// A command that imports what it is given, and refuses what it cannot.
protocol ImportingCommand: AsyncParsableCommand {
    var paths: [String] { get }
}

extension ImportCommand: ImportingCommand {}
extension RunCommand: ImportingCommand {}
