import Foundation
import Glibc

/// The pages of program and libraries that only the start needed, which are most of the resident memory of a role.
/// Touching one page maps its fifteen neighbours, too (fault-around), so a start maps nearly the whole program, and a
/// role at work uses a sixth of it.
enum StartupPages {
    /// Returns these pages to the page cache, where others can use the memory. A page that is used again is mapped from
    /// there, without being read anew. This is only done to pages that are unchanged from the file. Changes, such as a
    /// debugger's breakpoints, would be lost.
    static func release() {
        // If the kernel tells nothing, they stay. It tells one page at a time, so a short read is not the end.
        guard let file = FileHandle(forReadingAtPath: "/proc/self/smaps"), let bytes = try? file.readToEnd() else {
            return
        }
        let text = String(decoding: bytes, as: UTF8.self)
        for range in ranges(in: text) {
            // If the kernel refuses, the pages stay.
            _ = madvise(UnsafeMutableRawPointer(bitPattern: range.lowerBound), range.count, MADV_DONTNEED)
        }
    }

    /// The ranges of files that are mapped as executable and unchanged (proc(5): smaps, "Anonymous").
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
