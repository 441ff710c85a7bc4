import Foundation
import Model

/// What the images of an export are called: each otherwise, and so that their common folder and the name lead to the file.
struct COCONames {
    /// The folder that all paths have in common; nil: no image has a path.
    private var common: [Substring]?
    /// Hashes of the names that are given: a few bytes an image.
    private var given: Set<Int> = []

    /// The folder that names are relative to.
    var folder: String? {
        guard let common, !common.isEmpty else { return nil }
        let path = common.joined(separator: "/")
        return path.isEmpty ? "/" : path
    }

    /// To be told of every image first.
    mutating func saw(_ image: Image) {
        guard let path = image.path, !path.isEmpty else { return }
        let folders = COCONames.parts(path).dropLast()
        guard let known = common else {
            common = Array(folders)
            return
        }
        let shared = zip(known, folders).prefix { $0 == $1 }.count
        if shared < known.count { common = Array(known.prefix(shared)) }
    }

    /// The path below the common folder, else the filename or the last part of the URL. A name that another image has
    /// already is told apart by the image's id.
    mutating func name(of image: Image) -> String {
        let wanted = wanted(image)
        var name = wanted
        while !given.insert(name.hashValue).inserted {
            let end = (name as NSString).pathExtension
            name = (name as NSString).deletingPathExtension + "_\(image.id)" + (end.isEmpty ? "" : ".\(end)")
        }
        return name
    }

    private func wanted(_ image: Image) -> String {
        if let path = image.path, !path.isEmpty {
            return COCONames.parts(path).dropFirst(common?.count ?? 0).joined(separator: "/")
        }
        return image.filename ?? image.url ?? "\(image.id)"
    }

    /// An absolute path begins with an empty part.
    private static func parts(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: false)
    }
}
