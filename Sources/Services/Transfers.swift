import CCurl

/// The transfers in flight. They belong to the loop's thread.
final class Transfers {
    private static let keptConnectionLimit = 256

    private let multi: UnsafeMutableRawPointer
    private let sockets: SocketWatch
    private var watched: Set<curl_socket_t> = []
    /// Sockets that only wait until something can be written: those of connections that are being made, above all.
    private var writing: Set<curl_socket_t> = []
    /// Whether such a socket was closed. Then its transfer may have to be run once more, without any socket to wait for.
    private var isStranded = false
    /// When all transfers were run last.
    private var lastRun = ContinuousClock.now
    /// How often all transfers are run while connections are being made.
    private static let runInterval = Duration.milliseconds(100)
    /// When curl wants to look at its own timeouts. nil if it has none.
    private var deadline: ContinuousClock.Instant?
    /// Keeps each transfer alive until curl no longer uses its handle.
    private var byHandle: [UnsafeMutableRawPointer: Transfer] = [:]
    private var handles: [Int: UnsafeMutableRawPointer] = [:]
    private let addresses: AddressFilter?

    init(_ multi: UnsafeMutableRawPointer, _ sockets: SocketWatch, addresses: AddressFilter?) {
        self.multi = multi
        self.sockets = sockets
        self.addresses = addresses
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, Transfers.keptConnectionLimit)
        let context = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_socket_callback(multi, socketChanged, context)
        ccurl_multi_set_timer_callback(multi, timerChanged, context)
    }

    func begin(_ submission: PendingTransfer) { begin(submission, freshConnection: false) }

    /// Each transfer has a handle of its own. If an answer's first header is folded, libcurl 7.88 follows a pointer to
    /// the last header of the handle's previous transfer, which has been freed (`data->state.prevhead`). Connections
    /// belong to the multi handle, so they are kept all the same.
    private func begin(_ submission: PendingTransfer, freshConnection: Bool) {
        guard let handle = curl_easy_init() else {
            return fail(submission, .other, "libcurl is out of memory")
        }
        let transfer = Transfer(submission, handle, freshConnection: freshConnection, addresses: addresses)
        if let fault = transfer.prepare() {
            curl_easy_cleanup(handle)
            submission.continuation.resume(returning: .failure(fault))
            return
        }
        assert(byHandle[handle] == nil, "a transfer has a handle of its own")
        assert(handles[submission.id] == nil, "a request is under way once")
        byHandle[handle] = transfer
        handles[submission.id] = handle
        let code = curl_multi_add_handle(multi, handle)
        guard code == CURLM_OK else {
            forget(transfer)
            return fail(submission, .other, String(cString: curl_multi_strerror(code)))
        }
    }

    private func fail(_ submission: PendingTransfer, _ kind: HTTPFault.Kind, _ cause: String) {
        let fault = HTTPFault(kind, place: URLText.place(of: submission.request.url), cause: cause)
        submission.continuation.resume(returning: .failure(fault))
    }

    func cancel(_ id: Int) {
        guard let handle = handles[id], let transfer = byHandle[handle] else { return }
        remove(transfer)
        transfer.submission.refuse("cancelled")
    }

    /// Waits until there is something to do, advances the transfers that it is about, and answers those that are done.
    ///
    /// curl is told which sockets are ready (libcurl's "multi_socket" interface). `curl_multi_perform` would look at every
    /// transfer each time.
    func advance() {
        var code = CURLM_OK
        for event in sockets.wait(wait) where code == CURLM_OK {
            let flags =
                (event.isReadable ? CURL_CSELECT_IN : 0) | (event.isWritable ? CURL_CSELECT_OUT : 0)
                | (event.hasFailed ? CURL_CSELECT_ERR : 0)
            code = act(event.socket, flags)
        }
        if code == CURLM_OK, let deadline, deadline <= .now {
            self.deadline = nil
            code = act(CURL_SOCKET_TIMEOUT, 0)
            // curl's clock stands still while the machine is suspended. If it is not that late for curl, it says nothing again.
            if self.deadline == nil { askForTimer() }
        }
        guard code == CURLM_OK else {
            for transfer in byHandle.values {
                remove(transfer)
                fail(transfer.submission, .other, String(cString: curl_multi_strerror(code)))
            }
            return
        }
        finishDone()
        runAll()
    }

    /// Runs every transfer, if one might not be run otherwise. When a host's first address does not answer, libcurl goes on to
    /// the next one only if it is run meanwhile, and when that one refuses, it waits for its next timeout (curl issues 11439
    /// and 11920).
    private func runAll() {
        guard !byHandle.isEmpty else { return isStranded = false }
        guard isStranded || !writing.isEmpty && lastRun.duration(to: .now) >= Transfers.runInterval else { return }
        (isStranded, lastRun) = (false, .now)
        var running: Int32 = 0
        curl_multi_socket_all(multi, &running)
        finishDone()
    }

    private func askForTimer() {
        var milliseconds = -1
        curl_multi_timeout(multi, &milliseconds)
        setTimer(milliseconds)
    }

    private func act(_ socket: curl_socket_t, _ flags: Int32) -> CURLMcode {
        var running: Int32 = 0
        return curl_multi_socket_action(multi, socket, flags, &running)
    }

    /// Milliseconds until curl's deadline or the next run of all transfers, rounded up. Negative if there is none.
    private var wait: Int32 {
        let nextRun =
            byHandle.isEmpty ? nil : isStranded ? .now : writing.isEmpty ? nil : lastRun + Transfers.runInterval
        guard let deadline = [deadline, nextRun].compactMap(\.self).min() else { return -1 }
        let left = ContinuousClock.now.duration(to: deadline).seconds * 1000
        return Int32(min(max(left.rounded(.up), 0), 3_600_000))
    }

    /// What curl asks to be told about a socket.
    fileprivate func watch(_ socket: curl_socket_t, _ what: Int32) {
        guard what != CURL_POLL_REMOVE else {
            watched.remove(socket)
            if writing.remove(socket) != nil { isStranded = true }
            return sockets.forget(socket)
        }
        if what == CURL_POLL_OUT { writing.insert(socket) } else { writing.remove(socket) }
        sockets.watch(
            socket, reading: what & CURL_POLL_IN != 0, writing: what & CURL_POLL_OUT != 0,
            isNew: watched.insert(socket).inserted)
    }

    fileprivate func setTimer(_ milliseconds: Int) {
        deadline = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    }

    private func finishDone() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
                let transfer = byHandle[handle]
            else { continue }
            // The message is gone after the handle is removed.
            let code = ccurl_message_result(message)
            if transfer.deservesFreshConnection(code) {
                remove(transfer)
                begin(transfer.submission, freshConnection: true)
                continue
            }
            let result = transfer.result(code)
            remove(transfer)
            transfer.submission.continuation.resume(returning: result)
        }
    }

    /// Cancels all transfers that are left.
    func end() {
        for transfer in byHandle.values {
            remove(transfer)
            transfer.submission.refuse("the HTTP client is shut down")
        }
        // The multi handle outlives this object, and still closes connections.
        ccurl_multi_set_socket_callback(multi, nil, nil)
        ccurl_multi_set_timer_callback(multi, nil, nil)
    }

    private func remove(_ transfer: Transfer) {
        curl_multi_remove_handle(multi, transfer.handle)
        forget(transfer)
    }

    private func forget(_ transfer: Transfer) {
        assert(byHandle[transfer.handle] === transfer, "a transfer ends once")
        curl_easy_cleanup(transfer.handle)
        byHandle[transfer.handle] = nil
        handles[transfer.submission.id] = nil
    }
}

/// The callback with which curl says what it waits for on a socket.
private func socketChanged(
    _: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ what: Int32, _ context: UnsafeMutableRawPointer?,
    _: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context else { return 0 }
    Unmanaged<Transfers>.fromOpaque(context).takeUnretainedValue().watch(socket, what)
    return 0
}

/// The callback with which curl says when it wants to look at its timeouts.
private func timerChanged(
    _: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context else { return 0 }
    Unmanaged<Transfers>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds)
    return 0
}
