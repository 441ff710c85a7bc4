@preconcurrency import Dispatch
import Logging
import Pipeline

/// An actor that owns a connection: it is told what happens on it, and the connection is kept open for it.
protocol LineOwner: Actor {
    var line: Line { get }
    /// A new connection, without any channel.
    func opened()
    func received(_ frame: Frame)
    /// All that had come was received.
    func drained()
    /// What was under way on the connection is void.
    func lost(_ fault: PortFault)
    /// Opening it again failed in a way that a person has to mend.
    func failed(_ fault: PortFault)
    /// A second has passed.
    func ticked()
}

extension LineOwner {
    /// Connects to the first host that answers.
    /// - Throws: `PortFault`.
    func connect() async throws {
        var faults: [PortFault] = []
        for host in line.options.hosts {
            do {
                let link = try await Link.open(line.options, host: host, name: line.name)
                guard !line.isEnded else { return }
                line.attach(
                    link, onReadable: { [weak self] in self?.assumeIsolated { $0.drain() } },
                    onTick: { [weak self] in self?.assumeIsolated { $0.tick() } })
                return opened()
            } catch let fault as PortFault { faults.append(fault) }
        }
        throw faults.first { $0.kind == .unusable } ?? faults.last
            ?? PortFault(.unusable, place: line.options.place, message: "QUEUE_HOST names no host")
    }

    /// Says good-bye and waits until the broker has taken all that was sent; then the connection is over for good.
    func disconnect() async {
        guard !line.isEnded else { return }
        line.isEnded = true
        line.reopening?.cancel()
        if line.send({ try $0.close() }) {
            await withCheckedContinuation { continuation in
                line.farewell = continuation
                // A broker that does not answer is not waited for.
                line.after(.seconds(2)) { [weak self] in self?.assumeIsolated { $0.line.sayFarewell() } }
            }
        }
        abandon()
    }

    /// Ends the connection as the end of the process would.
    func abandon() {
        line.isEnded = true
        line.reopening?.cancel()
        line.detach()
        lost(PortFault(.transient, place: line.options.place, message: "the connection was closed"))
    }

    // MARK: Events

    /// Receives what there is; the library sends its heartbeats meanwhile.
    func drain() {
        guard let link = line.link else { return }
        line.sign()
        do {
            if let breakage = line.breakage { throw breakage }
            while line.link === link, let frame = try link.receive() {
                switch frame {
                case .closed(let refusal):
                    line.send { try $0.answerClose() }
                    throw PortFault(.transient, place: link.place, message: "the broker said: \(refusal.text)")
                case .closeOK: line.sayFarewell()
                default: received(frame)
                }
            }
            if line.link === link { drained() }
        } catch {
            lose(error as? PortFault ?? PortFault(.transient, place: link.place, message: "\(error)"))
        }
    }

    private func tick() {
        drain()
        if line.link != nil { ticked() }
    }

    private func lose(_ fault: PortFault) {
        let isProven = line.isProven
        line.detach()
        line.fault = fault
        line.sayFarewell()
        lost(fault)
        if isProven { line.backOff.reset() }
        guard !line.isEnded else { return }
        line.log.warning("\(line.name): connection lost, connecting again: \(fault)")
        // It lives as long as the connection is down and not closed; no scope of a caller's could hold it.
        line.reopening = Task { [weak self] in await self?.reopen(atOnce: isProven) }
    }

    private func reopen(atOnce: Bool) async {
        var isDue = atOnce
        while !line.isEnded {
            if !isDue {
                do { try await line.time.sleep(line.backOff.next()) } catch { return }
                guard !line.isEnded else { return }
            }
            isDue = false
            do {
                try await connect()
                if let link = line.link { line.log.notice("\(line.name): connected to \(link.place) again") }
                return
            } catch {
                let fault = error as? PortFault
                line.fault = fault
                if let fault, fault.kind == .unusable { failed(fault) }
                ticked()
            }
        }
    }
}
