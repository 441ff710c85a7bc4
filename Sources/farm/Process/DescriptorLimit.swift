import Glibc

/// How many files and connections this process may have open.
enum DescriptorLimit {
    // This is an enumeration in one header, and a number in another.
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    /// More than farm ever needs. Beyond this, the kernel's own limits are left alone.
    private static let wanted = rlim_t(65_536)
    /// A machine with all roles and a few calls at once needs this many.
    private static let needed = rlim_t(128)

    /// Raises the soft limit as far as the hard one allows. The soft limit is low for programs that use select(2).
    /// - Returns: how many descriptors there may be, if they are too few.
    static func raise() -> Int? {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return nil }
        let aim = min(wanted, limit.rlim_max)
        if limit.rlim_cur < aim {
            limit.rlim_cur = aim
            // If this is not allowed, the old limit stays.
            _ = setrlimit(resource, &limit)
            _ = getrlimit(resource, &limit)
        }
        return limit.rlim_cur < needed ? Int(limit.rlim_cur) : nil
    }
}
