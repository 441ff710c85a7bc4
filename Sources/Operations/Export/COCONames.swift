import Foundation
import Model

/// The names of the images in an export. They are all different, and the common folder and the name lead to the file.
struct COCONames {
    /// The folder that all paths have in common. nil if no image has a path.
    private var common: [Substring]?
    /// Hashes of the names that were given: a few bytes for each image.
    private var given: Set<Int> = []

    /// The folder to which names are relative.
    var folder: String? {
        guard let common, !common.isEmpty else { return nil }
        let path = common.joined(separator: "/")
        return path.isEmpty ? "/" : path
    }

    /// To be called with every image first.
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

    /// The path below the common folder, or else the filename or the last part of the URL. If another image has that
    /// name already, the id of the image is added.
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
