import Foundation
import Glibc

/// `make bench`: measures the release build and writes its figures into docs/performance.md.
///
///     farm-bench [PART…]      all parts, or these; FARM_BENCH_QUICK=1: sooner, and the page stays as it is
@main
enum FarmBench {
    static func main() async {
        do {
            let parts = try chosen(Array(CommandLine.arguments.dropFirst()))
            let page = PerformancePage(url: Programs.root.appending(path: "docs/performance.md"))
            for part in parts {
                let measured = Machine.description
                say("\(part.rawValue) …")
                let figures = try await part.measure()
                for figure in figures { print(figure.row) }
                if !Scale.isQuick { try page.replace(part, with: figures, measured: measured) }
            }
        } catch {
            say("bench: \(error)")
            exit(1)
        }
    }

    private static func chosen(_ names: [String]) throws -> [Part] {
        guard !names.isEmpty else { return Part.allCases }
        return try names.map { name in
            guard let part = Part(rawValue: name) else {
                let known = Part.allCases.map(\.rawValue).joined(separator: ", ")
                throw BenchFault("unknown part \(name); known are \(known)")
            }
            return part
        }
    }
}

/// A line about how far it is.
func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
