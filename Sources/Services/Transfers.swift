import CCurl

/// The transfers in flight. They belong to the loop's thread.
final class Transfers {
    private static let keptConnectionLimit = 256
    /// New work, curl's own deadlines and sockets end the poll earlier.
    private static let longestPoll: Int32 = 3_600_000

    private let multi: UnsafeMutableRawPointer
    /// Keeps each transfer alive until curl no longer uses its handle.
    private var byHandle: [UnsafeMutableRawPointer: Transfer] = [:]
    private var handles: [Int: UnsafeMutableRawPointer] = [:]
    private let addresses: AddressFilter?

    init(_ multi: UnsafeMutableRawPointer, addresses: AddressFilter?) {
        self.multi = multi
        self.addresses = addresses
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, Transfers.keptConnectionLimit)
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

    /// Advances all transfers, answers those that are done, and waits until there is more to do.
    func advance() {
        var running: Int32 = 0
        var code = curl_multi_perform(multi, &running)
        let hasBegunAgain = finishDone()
        if code == CURLM_OK, !hasBegunAgain { code = curl_multi_poll(multi, nil, 0, Transfers.longestPoll, nil) }
        guard code == CURLM_OK else {
            for transfer in byHandle.values {
                remove(transfer)
                fail(transfer.submission, .other, String(cString: curl_multi_strerror(code)))
            }
            return
        }
    }

    private func finishDone() -> Bool {
        var left: Int32 = 0
        var hasBegunAgain = false
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
                let transfer = byHandle[handle]
            else { continue }
            // The message is gone after the handle is removed.
            let code = ccurl_message_result(message)
            if transfer.deservesFreshConnection(code) {
                remove(transfer)
                begin(transfer.submission, freshConnection: true)
                hasBegunAgain = true
                continue
            }
            let result = transfer.result(code)
            remove(transfer)
            transfer.submission.continuation.resume(returning: result)
        }
        return hasBegunAgain
    }

    /// Cancels all transfers that are left.
    func end() {
        for transfer in byHandle.values {
            remove(transfer)
            transfer.submission.refuse("the HTTP client is shut down")
        }
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
