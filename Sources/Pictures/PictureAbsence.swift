import Glibc
import Model

/// A picture that cannot be had at present, and perhaps can later: its host or its folder is away, or stumbles.
public struct PictureAbsence: Sendable, Equatable {
    /// Who has the picture: a host (`http://nas:8080`) or a folder (`/mnt/nas`).
    public var source: String
    /// The source gives no picture at all at present: it is the source that is away, not this picture.
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
    /// What an error of the system says of a file that was to be read.
    ///
    /// A folder on the way that is missing or cannot be entered, and an empty folder where a file was, are a file system
    /// that is not mounted: all files below are away. A file that is missing among others is gone.
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

    /// Errors of network file systems and disks, of rights that may be given, and of a box that is short of something.
    private static let passing: Set<Int32> = [
        ESTALE, EIO, ETIMEDOUT, EACCES, EPERM, EAGAIN, EBUSY, EINTR, EMFILE, ENFILE, ENOMEM, ENODEV, ENXIO, ENOTCONN,
        EHOSTDOWN, EHOSTUNREACH, ENETDOWN, ENETUNREACH, ECONNREFUSED, ECONNRESET, ECONNABORTED, EREMOTEIO, ENOLINK,
    ]

    /// `/`, `/mnt`, `/mnt/nas` of `/mnt/nas/a.jpg`.
    private static func folders(above path: String) -> [String] {
        var folders: [String] = []
        var folder = PathText.folder(of: path)
        while folder != "/", !folder.isEmpty {
            folders.append(folder)
            folder = PathText.folder(of: folder)
        }
        return ["/"] + folders.reversed()
    }

    /// One that cannot be listed counts as not empty.
    private static func isEmpty(_ folder: String) -> Bool {
        guard let listing = opendir(folder) else { return false }
        defer { closedir(listing) }
        // `.` and `..` are there in any.
        var count = 0
        while readdir(listing) != nil {
            count += 1
            if count > 2 { return false }
        }
        return true
    }
}
