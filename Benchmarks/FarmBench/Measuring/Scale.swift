import Foundation

/// How much is measured: all, or with FARM_BENCH_QUICK=1 (`make bench QUICK=1`) only as much as shows that each part still runs,
/// and about where its figures are. Those are not written into the page.
enum Scale {
    static let isQuick = ProcessInfo.processInfo.environment["FARM_BENCH_QUICK"] == "1"

    /// One of two numbers of images or rounds.
    static func of(_ full: Int, quick: Int) -> Int { isQuick ? quick : full }
}
