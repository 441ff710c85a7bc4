import CCommit

/// Which farm this is.
enum FarmVersion {
    /// The release.
    static let number = "0.2.0"

    /// What was built: `commit 6b1d0c4f2a`.
    static let build: String = {
        let commit = String(cString: farm_commit())
        return commit.isEmpty ? "unknown commit" : "commit \(commit)"
    }()
}
