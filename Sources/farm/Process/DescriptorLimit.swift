import Glibc

/// How many files and connections this process may have open.
enum DescriptorLimit {
    // An enumeration in one header, a number in another.
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    /// More than farm ever needs; beyond, the kernel's own limits are to be left alone.
    private static let wanted = rlim_t(65_536)
    /// A box with all roles and a few calls at once has as many.
    private static let needed = rlim_t(128)

    /// Raises the soft limit as far as the hard one allows. The soft one is low for the sake of programs that use select(2).
    /// - Returns: how many there may be, if they are too few.
    static func raise() -> Int? {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return nil }
        let aim = min(wanted, limit.rlim_max)
        if limit.rlim_cur < aim {
            limit.rlim_cur = aim
            // Where it is not allowed the old one stays.
            _ = setrlimit(resource, &limit)
            _ = getrlimit(resource, &limit)
        }
        return limit.rlim_cur < needed ? Int(limit.rlim_cur) : nil
    }
}
