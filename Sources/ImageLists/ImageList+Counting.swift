import Files
import Foundation
import Pipeline
import Waiting

extension ImageList {
    /// About how many files and lines `read` will look at: every file of a folder, and every line of a list. A line
    /// break inside quotes is counted too, and changes meanwhile are not noticed.
    package func count(_ paths: [String], drain: Drain) -> Int {
        var count = 0
        for path in paths where !drain.isBegun {
            if ImageList.isFolder(path) {
                for step in FolderWalk(path, rules) {
                    guard !drain.isBegun else { break }
                    count += step.files.count + step.unnamed.count + step.leftOut.count
                }
            } else if path.lowercased().hasSuffix(".csv") {
                count += ImageList.lines(of: path)
            } else {
                count += 1
            }
        }
        return count
    }

    /// The number of lines below the header. 0 if this is not a regular file, since others can be read only once.
    private static func lines(of path: String) -> Int {
        guard FileIdentity(of: path)?.isRegular == true, let file = FileHandle(forReadingAtPath: path) else { return 0 }
        defer { try? file.close() }
        let (feed, carriage) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        var (breaks, last) = (0, feed)
        while let chunk = try? file.read(upToCount: 1 << 16), !chunk.isEmpty {
            for byte in chunk {
                if byte == carriage || byte == feed && last != carriage { breaks += 1 }
                last = byte
            }
        }
        return max(0, breaks - (last == feed || last == carriage ? 1 : 0))
    }
}
