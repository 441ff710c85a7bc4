import Foundation
import Glibc

/// The pages of program and libraries that only the start has needed, most of what a role has resident: to touch one
/// maps its fifteen neighbours, too (fault-around), so that a start maps nearly all of the program, of which a role at work
/// uses a sixth.
enum StartupPages {
    /// Gives them back to the page cache, where others that need memory find them. What is used again is mapped again from
    /// there, without being read anew. Only text that is as it is in its file: where something is written into it, such as a
    /// debugger's breakpoints, it would be lost.
    static func release() {
        // Where the kernel tells nothing they stay. It tells a page at a time, so that a read that comes short is not the end.
        guard let file = FileHandle(forReadingAtPath: "/proc/self/smaps"), let bytes = try? file.readToEnd() else {
            return
        }
        let text = String(decoding: bytes, as: UTF8.self)
        for range in ranges(in: text) {
            // What the kernel does not like stays as it is.
            _ = madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED)
        }
    }

    /// Where files are mapped to be executed, and no page is other than in its file (proc(5): smaps, "Anonymous").
    static func ranges(in smaps: String) -> [Range<UInt>] {
        var ranges: [Range<UInt>] = []
        var candidate: Range<UInt>?
        for line in smaps.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            if words.count >= 6, words[1] == "r-xp", words[5].hasPrefix("/") {
                let bounds = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
                candidate = bounds.count == 2 && bounds[0] < bounds[1] ? bounds[0]..<bounds[1] : nil
            } else if words.first == "Anonymous:" {
                if let candidate, words.dropFirst().first == "0" { ranges.append(candidate) }
                candidate = nil
            } else if words.count >= 5, words[0].contains("-") {
                candidate = nil
            }
        }
        return ranges
    }
}
