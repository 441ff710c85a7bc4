import CCommit

/// The version of this program.
enum FarmVersion {
    /// The release.
    static let number = "0.2.0"

    /// The build: `commit 6b1d0c4f2a`.
    static let build: String = {
        let commit = String(cString: farm_commit())
        return commit.isEmpty ? "unknown commit" : "commit \(commit)"
    }()
}
