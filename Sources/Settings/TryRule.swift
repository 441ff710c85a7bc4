/// How often and how long a job is tried: REQUEST_TIMEOUT, MAX_RETRIES and RETRY_DELAY, or a service's own values.
struct TryRule: Equatable {
    var timeout = Duration.seconds(30)
    var maxRetries = 3
    var retryDelay = Duration.seconds(5)

    /// A job must be settled before the broker closes its channel (spec section 5).
    static let longestJob = Duration.seconds(280)
    static let longestWait = Duration.seconds(60)

    /// The longest time that a job can take: every try runs into its time-out, and before the k-th retry there is a
    /// wait of retryDelay × 2^(k-1), at most 60 s. Jitter only shortens a wait (to between 50 % and 100 % of it).
    var longest: Duration {
        var sum = timeout * maxRetries
        var wait = retryDelay
        for _ in 1..<max(maxRetries, 1) {
            sum += min(wait, Self.longestWait)
            wait = min(wait * 2, Self.longestWait)
        }
        return sum
    }

    /// Why the sum is too large. nil if it is not.
    var fault: String? {
        guard longest > Self.longestJob else { return nil }
        let tries = maxRetries == 1 ? "1 try" : "\(maxRetries) tries"
        return "\(tries) of \(timeout.inSeconds.plain) s and the waits between them add up to "
            + "\(longest.inSeconds.plain) s a job; at most \(Self.longestJob.inSeconds.plain) s"
    }
}
