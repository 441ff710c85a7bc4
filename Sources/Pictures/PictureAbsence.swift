import Glibc
import Model

/// A picture that is not available at present, and may be later: its host or its folder is away or failing.
public struct PictureAbsence: Sendable, Equatable {
    /// Where the picture is: a host (`http://nas:8080`) or a folder (`/mnt/nas`).
    public var source: String
    /// Whether the source provides no pictures at all at present, so that the source is away and not only this picture.
    public var isOfSource: Bool
    /// How long the host asks to wait.
    public var retryAfter: Duration?

    package init(source: String, isOfSource: Bool, retryAfter: Duration? = nil) {
        self.source = source
        self.isOfSource = isOfSource
        self.retryAfter = retryAfter
    }
}

extension PictureAbsence {
    /// Interprets a system error at reading a file.
    ///
    /// If a folder on the way is missing or cannot be entered, or if a folder is empty where a file was, a file system
    /// is probably not mounted, and all files below it are away. A file that is missing among others is gone.
    /// - Returns: nil if the file itself is at fault, and for good.
    init?(ofFile path: String, _ cause: Int32, links: Int = 8) {
        guard ![ENOTDIR, ELOOP, ENAMETOOLONG, EISDIR].contains(cause) else { return nil }
        let folders = PictureAbsence.folders(above: PathText.absolute(path))
        if let first = folders.firstIndex(where: { access($0, X_OK) != 0 }) {
            let above = first > 1 ? folders[first - 1] : nil
            let isMountPoint = above.map(PictureAbsence.isEmpty) ?? false
            self.init(source: isMountPoint ? above ?? folders[first] : folders[first], isOfSource: true)
            return
        }
        guard let parent = folders.last else { return nil }
        if cause == ENOENT {
            if links > 0, let target = ImageFile.target(of: path) {
                let place = PathText.isAbsolute(target) ? target : PathText.join(parent, target)
                self.init(ofFile: place, ENOENT, links: links - 1)
            } else if parent != "/", PictureAbsence.isEmpty(parent) {
                self.init(source: parent, isOfSource: true)
            } else {
                return nil
            }
        } else {
            guard PictureAbsence.passing.contains(cause) else { return nil }
            self.init(source: parent, isOfSource: false)
        }
    }

    /// Errors of network file systems and disks, of permissions that may be granted, and of a machine that lacks a
    /// resource.
    private static let passing: Set<Int32> = [
        ESTALE, EIO, ETIMEDOUT, EACCES, EPERM, EAGAIN, EBUSY, EINTR, EMFILE, ENFILE, ENOMEM, ENODEV, ENXIO, ENOTCONN,
        EHOSTDOWN, EHOSTUNREACH, ENETDOWN, ENETUNREACH, ECONNREFUSED, ECONNRESET, ECONNABORTED, EREMOTEIO, ENOLINK,
    ]

    /// `/`, `/mnt`, `/mnt/nas` for `/mnt/nas/a.jpg`.
    private static func folders(above path: String) -> [String] {
        var folders: [String] = []
        var folder = PathText.folder(of: path)
        while folder != "/", !folder.isEmpty {
            folders.append(folder)
            folder = PathText.folder(of: folder)
        }
        return ["/"] + folders.reversed()
    }

    /// A folder that cannot be listed counts as not empty.
    private static func isEmpty(_ folder: String) -> Bool {
        guard let listing = opendir(folder) else { return false }
        defer { closedir(listing) }
        // `.` and `..` are in every folder.
        var count = 0
        while readdir(listing) != nil {
            count += 1
            if count > 2 { return false }
        }
        return true
    }
}
