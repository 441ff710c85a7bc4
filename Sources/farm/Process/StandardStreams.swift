import Glibc

/// Standard input, output and error. Whoever started this process may have closed them (`farm status >&-`).
enum StandardStreams {
    /// Keeps the numbers of closed streams, since a file or connection that got one of them would be written to by
    /// mistake. They are opened in the wrong direction, so that using them fails as before.
    static func keepClosed() {
        for (number, flags) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(number, F_GETFD) < 0 {
            // The lowest free number is this one.
            _ = open("/dev/null", flags)
        }
    }
}
