import Pipeline

/// How calls obey what operators have set for the service.
extension ServiceClient {
    /// Why no call goes out; nil while the service is not paused.
    var pause: String? { control.isPaused ? "\(endpoint.label) is paused" : nil }

    /// How many calls the service gets at once, at most.
    package var concurrency: Int { slots.count }

    /// A pause turns away the jobs that wait for their turn. Calls in flight go on.
    func obey(_ set: ServiceControl) {
        let concurrency = max(set.concurrency ?? endpoint.concurrency, 1)
        slots.resize(to: concurrency)
        events.tell(.concurrencyChanged(concurrency))
        if set.isPaused { slots.turnAway() }
    }
}
