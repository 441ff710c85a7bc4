import Pipeline

/// What a worker notes of its queue, beside its row in the table of those alive: how much waits there, and how much it has done
/// since it noted that last.
public actor ProgressNotes {
    private let queue: String
    private let activity: WorkerActivity
    private let queues: any QueueAdministration
    private let records: any ProgressRecords
    private var noted: Int

    /// - Parameters:
    ///   - queue: what the worker takes from.
    ///   - activity: what it has done.
    ///   - queues: tell how much waits.
    ///   - records: where it is noted.
    public init(
        queue: String, activity: WorkerActivity, queues: any QueueAdministration, records: any ProgressRecords
    ) {
        self.queue = queue
        self.activity = activity
        self.queues = queues
        self.records = records
        noted = activity.snapshot.completed
    }

    /// What cannot be noted now is noted the next time, in that minute. Who writes the worker's row says what keeps the store from
    /// it.
    func note() async {
        guard let depth = try? await queues.depths(of: [queue]).first else { return }
        let completed = activity.snapshot.completed
        do {
            try await records.note(waiting: depth.waiting, done: completed - noted, in: queue)
            noted = completed
        } catch {}
    }
}
