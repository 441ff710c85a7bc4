import Glibc

/// Standard input, output and error, which whoever started this process may have closed (`farm status >&-`).
enum StandardStreams {
    /// Keeps the numbers of those that are closed: a file or a connection that was opened under one of them would be
    /// written to in its place. They are opened the wrong way round, so that what uses them fails as it would.
    static func keepClosed() {
        for (number, flags) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(number, F_GETFD) < 0 {
            // The lowest number that is free is this one.
            _ = open("/dev/null", flags)
        }
    }
}
