@preconcurrency import Dispatch
import Logging
import Pipeline

/// An actor that owns a connection. It is told what happens on the connection, which is kept open for it.
protocol ConnectionOwner: Actor {
    var connection: ManagedConnection { get }
    /// There is a new connection, without any channel.
    func opened()
    func received(_ frame: Frame)
    /// Everything that had come was received.
    func drained()
    /// The connection was lost. Everything that was in progress on it is void.
    func lost(_ fault: PortFault)
    /// Opening it again failed in a way that a person has to mend.
    func failed(_ fault: PortFault)
    /// A second has passed.
    func ticked()
}

extension ConnectionOwner {
    /// Connects to the first host that answers.
    /// - Throws: `PortFault`.
    func connect() async throws {
        var faults: [PortFault] = []
        for host in connection.options.hosts {
            do {
                let amqp = try await AMQPConnection.open(connection.options, host: host, name: connection.name)
                guard !connection.isEnded else { return }
                connection.attach(
                    amqp, onReadable: { [weak self] in self?.assumeIsolated { $0.drain() } },
                    onTick: { [weak self] in self?.assumeIsolated { $0.tick() } })
                return opened()
            } catch let fault as PortFault { faults.append(fault) }
        }
        throw faults.first { $0.kind == .unusable } ?? faults.last
            ?? PortFault(.unusable, place: connection.options.place, message: "QUEUE_HOST names no host")
    }

    /// Says good-bye, and waits until the broker has taken everything that was sent. Then the connection is over for
    /// good.
    func disconnect() async {
        guard !connection.isEnded else { return }
        connection.isEnded = true
        connection.reopening?.cancel()
        if connection.send({ try $0.close() }) {
            await withCheckedContinuation { continuation in
                connection.farewell = continuation
                // A broker that does not answer is not waited for.
                connection.after(.seconds(2)) { [weak self] in self?.assumeIsolated { $0.connection.sayFarewell() } }
            }
        }
        abandon()
    }

    /// Ends the connection in the way in which the end of the process would.
    func abandon() {
        connection.isEnded = true
        connection.reopening?.cancel()
        connection.detach()
        lost(PortFault(.transient, place: connection.options.place, message: "the connection was closed"))
    }

    // MARK: Events

    /// Receives everything that has come. Meanwhile the library sends its heartbeats.
    func drain() {
        guard let amqp = connection.amqp else { return }
        connection.sign()
        do {
            if let breakage = connection.breakage { throw breakage }
            while connection.amqp === amqp, let frame = try amqp.receive() {
                switch frame {
                case .closed(let refusal):
                    connection.send { try $0.answerClose() }
                    throw PortFault(.transient, place: amqp.place, message: "the broker said: \(refusal.text)")
                case .closeOK: connection.sayFarewell()
                default: received(frame)
                }
            }
            if connection.amqp === amqp { drained() }
        } catch {
            lose(error as? PortFault ?? PortFault(.transient, place: amqp.place, message: "\(error)"))
        }
    }

    private func tick() {
        drain()
        if connection.amqp != nil { ticked() }
    }

    private func lose(_ fault: PortFault) {
        let isProven = connection.isProven
        connection.detach()
        connection.fault = fault
        connection.sayFarewell()
        lost(fault)
        if isProven { connection.backOff.reset() }
        guard !connection.isEnded else { return }
        connection.events.tell(.connectionLost(connection: connection.name, fault))
        // The task lives while the connection is down and not closed. No caller's scope could hold it.
        connection.reopening = Task { [weak self] in await self?.reopen(atOnce: isProven) }
    }

    private func reopen(atOnce: Bool) async {
        var isDue = atOnce
        while !connection.isEnded {
            if !isDue {
                do { try await connection.time.sleep(connection.backOff.next()) } catch { return }
                guard !connection.isEnded else { return }
            }
            isDue = false
            do {
                try await connect()
                if let amqp = connection.amqp {
                    connection.events.tell(.reconnected(connection: connection.name, place: amqp.place))
                }
                return
            } catch {
                let fault = error as? PortFault
                connection.fault = fault
                if let fault, fault.kind == .unusable { failed(fault) }
                ticked()
            }
        }
    }
}
