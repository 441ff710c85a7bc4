import Pipeline

/// What a worker notes about its queue, beside its row in the table of live workers: how many messages wait there, and
/// how many jobs it has done since its last note.
public actor ProgressNotes {
    private let queue: String
    private let activity: WorkerActivity
    private let queues: any QueueAdministration
    private let records: any ProgressRecords
    private var noted: Int

    /// - Parameters:
    ///   - queue: the queue that the worker consumes.
    ///   - activity: what the worker has done.
    ///   - queues: reports how many messages wait.
    ///   - records: where the notes are written.
    public init(
        queue: String, activity: WorkerActivity, queues: any QueueAdministration, records: any ProgressRecords
    ) {
        self.queue = queue
        self.activity = activity
        self.queues = queues
        self.records = records
        noted = activity.snapshot.completed
    }

    /// Writes a note. What cannot be noted now is added to the next note. If the store fails, whoever writes the
    /// worker's row reports it.
    func note() async {
        guard let depth = try? await queues.depths(of: [queue]).first else { return }
        let completed = activity.snapshot.completed
        do {
            try await records.note(waiting: depth.waiting, done: completed - noted, in: queue)
            noted = completed
        } catch {}
    }
}
