import Foundation
import Model
import Pipeline
import Synchronization
import Waiting

/// The queues of a run. They outlive the processes, which take from them through `BrokerQueue`.
final class Broker: Sendable {
    /// A message in a queue.
    struct Parcel: Sendable {
        var id: Int
        var message: Message
        var redelivered = false
    }

    /// A message in a dead queue.
    struct DeadParcel: Sendable {
        var parcel: Parcel
        var letter: DeadLetter
    }

    /// Who takes from a queue.
    struct Taker: Sendable {
        var queue: String
        var process: Int
        var prefetch: Int
        /// Of its connection: receipts of an older one are worth nothing.
        var epoch: Int64 = 1
        var nextTag: Int64 = 1
        /// By tag; in order of tags.
        var unsettled: [(tag: Int64, parcel: Parcel, since: VirtualTime)] = []
        /// Of those, fetched ahead and not yet handed out.
        var ahead: [Delivery] = []
        var isWanted = false
        let bell = Mailbox<Void>()
    }

    /// What becomes of a delivery.
    enum Fate {
        case gone
        case back(after: VirtualTime)
        case dead(DeadLetter)
    }

    struct Shelf: Sendable {
        var ready: [Parcel] = []
        /// Delayed, or of a lease that has not run out yet.
        var away = 0
        var dead: [DeadParcel] = []
    }

    private struct State {
        var shelves: [String: Shelf] = [:]
        var takers: [Int: Taker] = [:]
        var nextID = 0
        /// All that were ever put into the queues.
        var history: [Message] = []
        var longestHeld = VirtualTime.seconds(0)
    }

    let conditions: Conditions
    private let state = Mutex(State())

    init(_ conditions: Conditions) { self.conditions = conditions }

    private var plan: Plan { conditions.plan }

    // MARK: Putting

    /// - Parameter areCopies: of deliveries, behind all others of their queue.
    func put(_ messages: [Message], by whom: String, areCopies: Bool = false) {
        for message in messages {
            let copies = conditions.strikes(.publishedTwice, whom) ? 2 : 1
            for _ in 0..<copies {
                state.withLock { state in
                    state.nextID += 1
                    state.history.append(message)
                    state.shelves[message.queue, default: Shelf()].ready.append(
                        Parcel(id: state.nextID, message: message, redelivered: areCopies))
                }
            }
        }
        ring(Set(messages.map(\.queue)).sorted())
    }

    func putDead(_ dead: [(Message, DeadLetter)]) {
        state.withLock { state in
            for (message, letter) in dead {
                state.nextID += 1
                let parcel = Parcel(id: state.nextID, message: message)
                state.shelves[message.queue, default: Shelf()].dead.append(DeadParcel(parcel: parcel, letter: letter))
            }
        }
    }

    private func ring(_ queues: [String]) {
        let bells = state.withLock { state -> [Mailbox<Void>] in
            let takers = state.takers.keys.sorted().filter { queues.contains(state.takers[$0]?.queue ?? "") }
            let order = conditions.dice.shuffled(takers)
            if plan.queuePushes { for taker in order { fill(taker, &state) } }
            return order.compactMap { state.takers[$0]?.bell }
        }
        for bell in bells { bell.append([()]) }
    }

    // MARK: Taking

    func limit(_ taker: Int, prefetch: Int) {
        state.withLock { $0.takers[taker]?.prefetch = max(1, prefetch) }
    }

    func open(_ queue: String, prefetch: Int, process: Int) -> (taker: Int, bell: Mailbox<Void>) {
        state.withLock { state in
            state.nextID += 1
            let taker = Taker(queue: queue, process: process, prefetch: max(1, prefetch))
            state.takers[state.nextID] = taker
            return (state.nextID, taker.bell)
        }
    }

    func take(_ taker: Int, upTo limit: Int) -> [Delivery] {
        state.withLock { state in
            state.takers[taker]?.isWanted = true
            if plan.queuePushes { fill(taker, &state) } else { fill(taker, &state, upTo: max(1, limit)) }
            guard let ahead = state.takers[taker]?.ahead, !ahead.isEmpty else { return [] }
            let taken = ahead.prefix(max(1, limit))
            state.takers[taker]?.ahead.removeFirst(taken.count)
            return Array(taken)
        }
    }

    private func fill(_ id: Int, _ state: inout State, upTo limit: Int = .max) {
        guard var taker = state.takers[id], taker.isWanted, var shelf = state.shelves[taker.queue] else { return }
        var room = min(limit, taker.prefetch - taker.unsettled.count)
        while room > 0, !shelf.ready.isEmpty {
            room -= 1
            let isLate = shelf.ready.count > 1 && conditions.strikes(.reordered, taker.queue)
            let parcel = shelf.ready.remove(at: isLate ? conditions.dice.below(shelf.ready.count) : 0)
            taker.unsettled.append((taker.nextTag, parcel, conditions.scheduler.now))
            taker.ahead.append(
                Delivery(
                    body: parcel.message.body, headers: parcel.message.headers, redelivered: parcel.redelivered,
                    receipt: Receipt(epoch: taker.epoch, tag: taker.nextTag)))
            taker.nextTag += 1
        }
        state.takers[id] = taker
        state.shelves[taker.queue] = shelf
    }

    // MARK: Settling

    /// What these receipts stand for, as far as they are good.
    func contents(_ id: Int, _ receipts: [Receipt]) -> [Receipt: Message] {
        state.withLock { state in
            guard let taker = state.takers[id] else { return [:] }
            return receipts.reduce(into: [:]) { contents, receipt in
                guard receipt.epoch == taker.epoch else { return }
                contents[receipt] = taker.unsettled.first { $0.tag == receipt.tag }?.parcel.message
            }
        }
    }

    func settle(_ id: Int, _ fates: [(Receipt, Fate)]) {
        let (queue, delayed) = state.withLock { state -> (String?, [(Parcel, VirtualTime)]) in
            guard var taker = state.takers[id] else { return (nil, []) }
            var delayed: [(Parcel, VirtualTime)] = []
            for (receipt, fate) in fates where receipt.epoch == taker.epoch {
                guard let place = taker.unsettled.firstIndex(where: { $0.tag == receipt.tag }) else { continue }
                var (_, parcel, since) = taker.unsettled.remove(at: place)
                state.longestHeld = max(state.longestHeld, conditions.scheduler.now - since)
                switch fate {
                case .gone: break
                case .dead(let letter):
                    state.shelves[taker.queue]?.dead.append(DeadParcel(parcel: parcel, letter: letter))
                case .back(let delay):
                    parcel.redelivered = true
                    guard delay > .seconds(0) else {
                        Broker.shelve(parcel, taker.queue, &state)
                        continue
                    }
                    delayed.append((parcel, delay))
                }
            }
            state.takers[id] = taker
            return (taker.queue, delayed)
        }
        guard let queue else { return }
        for (parcel, delay) in delayed { comeBack([parcel], to: queue, after: delay) }
        ring([queue])
    }

    /// In its old place.
    private static func shelve(_ parcel: Parcel, _ queue: String, _ state: inout State) {
        var shelf = state.shelves[queue] ?? Shelf()
        let place = shelf.ready.firstIndex { $0.id > parcel.id } ?? shelf.ready.endIndex
        shelf.ready.insert(parcel, at: place)
        state.shelves[queue] = shelf
    }

    /// They are away until then.
    private func comeBack(_ parcels: [Parcel], to queue: String, after delay: VirtualTime) {
        state.withLock { $0.shelves[queue, default: Shelf()].away += parcels.count }
        conditions.scheduler.after(delay) { [self] in
            state.withLock { state in
                state.shelves[queue]?.away -= parcels.count
                for parcel in parcels { Broker.shelve(parcel, queue, &state) }
            }
            ring([queue])
        }
    }

    /// Gives back what was fetched ahead, until something is asked for again.
    func pause(_ id: Int) {
        let queue = state.withLock { state -> String? in
            guard var taker = state.takers[id] else { return nil }
            taker.isWanted = false
            let tags = Set(taker.ahead.map(\.receipt.tag))
            let back = taker.unsettled.filter { tags.contains($0.tag) }.map(\.parcel)
            taker.unsettled.removeAll { tags.contains($0.tag) }
            taker.ahead = []
            state.takers[id] = taker
            for var parcel in back {
                parcel.redelivered = true
                Broker.shelve(parcel, taker.queue, &state)
            }
            return back.isEmpty ? nil : taker.queue
        }
        if let queue { ring([queue]) }
    }

    /// Ends a taker and gives back what it held.
    func close(_ id: Int) {
        let taker = state.withLock { state -> Taker? in
            guard let taker = state.takers.removeValue(forKey: id) else { return nil }
            for var (_, parcel, _) in taker.unsettled {
                parcel.redelivered = true
                Broker.shelve(parcel, taker.queue, &state)
            }
            return taker
        }
        guard let taker else { return }
        taker.bell.append([()])
        ring([taker.queue])
    }

    // MARK: Lost connections

    /// The connection of a living process is lost: what it held goes to others at once, its receipts are worth nothing any
    /// more, and it comes back by itself.
    func lose(process: Int) { lose(process, after: .seconds(0), isOver: false) }

    /// What a dead process held comes again when its lease has run out.
    func forget(process: Int) { lose(process, after: conditions.dice.time(around: plan.leaseDelay), isOver: true) }

    /// The connection of a process that ends well: what it held goes to others at once.
    func leave(process: Int) { lose(process, after: .seconds(0), isOver: true) }

    private func lose(_ process: Int, after delay: VirtualTime, isOver: Bool) {
        let lost = state.withLock { state -> [(String, [Parcel])] in
            state.takers.keys.sorted().filter { state.takers[$0]?.process == process }.compactMap { id in
                guard var taker = state.takers[id] else { return nil }
                let parcels = taker.unsettled.map { _, parcel, _ in
                    var parcel = parcel
                    parcel.redelivered = true
                    return parcel
                }
                (taker.unsettled, taker.ahead) = ([], [])
                taker.epoch += 1
                state.takers[id] = isOver ? nil : taker
                return (taker.queue, parcels)
            }
        }
        // The planted queue has forgotten them when it delivered them.
        guard plan.plant != .acknowledgeBeforeCommit else { return }
        for (queue, parcels) in lost where !parcels.isEmpty { comeBack(parcels, to: queue, after: delay) }
    }

    // MARK: Looking

    func depth(of queue: String) -> QueueDepth {
        state.withLock { state in
            let shelf = state.shelves[queue] ?? Shelf()
            return QueueDepth(
                queue: queue, waiting: shelf.ready.count + shelf.away,
                inFlight: state.takers.values.filter { $0.queue == queue }.reduce(0) { $0 + $1.unsettled.count },
                dead: shelf.dead.count)
        }
    }

    /// What can be taken.
    func ready(in queue: String) -> [Message] { state.withLock { $0.shelves[queue]?.ready.map(\.message) ?? [] } }

    /// Whether nothing waits, is delayed, or in anybody's hands.
    var isQuiet: Bool {
        state.withLock { state in
            state.shelves.values.allSatisfy { $0.ready.isEmpty && $0.away == 0 }
                && state.takers.values.allSatisfy { $0.unsettled.isEmpty }
        }
    }

    /// For people: what is still there.
    var remains: String {
        state.withLock { state in
            let remains = state.shelves.keys.sorted().compactMap { queue -> String? in
                let shelf = state.shelves[queue] ?? Shelf()
                let held = state.takers.values.filter { $0.queue == queue }.reduce(0) { $0 + $1.unsettled.count }
                guard !shelf.ready.isEmpty || shelf.away > 0 || held > 0 else { return nil }
                return "\(queue): \(shelf.ready.count) ready, \(shelf.away) away, \(held) held"
            }
            return remains.joined(separator: "; ")
        }
    }

    /// All jobs that were ever in a queue.
    var jobs: [Job] {
        let queues = Set(plan.primaries.map { "queue_\($0)" })
        return state.withLock { $0.history }.filter { queues.contains($0.queue) }.compactMap { message in
            (try? Job(body: message.body, queue: message.queue, service: ""))
                .flatMap { $0.serviceName.isEmpty ? nil : $0 }
        }
    }
    /// Of the queues that hold something.
    var queueNames: [String] {
        state.withLock { state in
            let held = Set(state.takers.values.filter { !$0.unsettled.isEmpty }.map(\.queue))
            return state.shelves.filter { queue, shelf in
                !shelf.ready.isEmpty || shelf.away > 0 || !shelf.dead.isEmpty || held.contains(queue)
            }.keys.sorted()
        }
    }
    var takers: Int { state.withLock { $0.takers.count } }
    var longestHeld: VirtualTime { state.withLock { $0.longestHeld } }
    var dead: [(queue: String, parcel: DeadParcel)] {
        state.withLock { state in
            state.shelves.keys.sorted().flatMap { queue in (state.shelves[queue]?.dead ?? []).map { (queue, $0) } }
        }
    }
}
