import CCurl
import Foundation
import Model
import Pictures
import Pipeline

/// One request that curl handles, and what has come of its answer. It belongs to the loop's thread.
final class Transfer {
    let submission: PendingTransfer
    let handle: UnsafeMutableRawPointer
    private let freshConnection: Bool
    private let addresses: AddressFilter?
    private var refusedAddress: NetworkAddress?
    private var posted: PostedContent?
    private var sent = 0
    private var unreadable: PictureFault?
    private var body: [UInt8] = []
    private var isTooLarge = false
    private var form: OpaquePointer?
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    private var request: HTTPRequest { submission.request }

    init(
        _ submission: PendingTransfer, _ handle: UnsafeMutableRawPointer, freshConnection: Bool,
        addresses: AddressFilter?
    ) {
        self.submission = submission
        self.handle = handle
        self.freshConnection = freshConnection
        self.addresses = addresses
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_mime_free(form)
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    // MARK: Before

    /// Sets up the handle.
    /// - Returns: why the request cannot be sent. nil if it can.
    func prepare() -> HTTPFault? {
        set(CURLOPT_NOSIGNAL, 1)
        // A name server that hangs must not hold up the thread when a request has timed out.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        set(CURLOPT_PROXY, "")
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_USERAGENT, "farm")
        // With this, curl unpacks whatever encoding an answer names.
        if request.unpacks { set(CURLOPT_ACCEPT_ENCODING, "identity") }
        if request.redirections > 0 {
            set(CURLOPT_FOLLOWLOCATION, 1)
            set(CURLOPT_MAXREDIRS, request.redirections)
            set(CURLOPT_REDIR_PROTOCOLS_STR, Transfer.redirectionProtocols(from: request.url))
        }
        set(CURLOPT_TIMEOUT_MS, milliseconds(request.timeout))
        set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connectTimeout))
        set(CURLOPT_FRESH_CONNECT, freshConnection ? 1 : 0)
        ccurl_set_offset(handle, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(request.bodyLimit))
        ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText)
        ccurl_set_pointer(handle, CURLOPT_WRITEDATA, Unmanaged.passUnretained(self).toOpaque())
        ccurl_set_write_callback(handle, receive)
        if addresses != nil {
            ccurl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, Unmanaged.passUnretained(self).toOpaque())
            ccurl_set_opensocket_callback(handle, connect)
        }
        let code = set(CURLOPT_URL, request.url)
        guard code == CURLE_OK else { return fault(code) }
        if let trace = request.trace { headers = curl_slist_append(headers, "\(TraceContext.header): \(trace.text)") }
        for (name, value) in request.headers { headers = curl_slist_append(headers, "\(name): \(value)") }
        if let fault = request.content.flatMap(post) { return fault }
        if headers != nil { ccurl_set_pointer(handle, CURLOPT_HTTPHEADER, headers) }
        return nil
    }

    /// If the URL uses TLS, a redirection must not lead to one without.
    static func redirectionProtocols(from url: String) -> String {
        URLText.scheme(of: url) == "https" ? "https" : "http,https"
    }

    private func post(_ content: HTTPRequest.Content) -> HTTPFault? {
        // Without this, curl waits a second for "100 Continue" before it sends more than a megabyte.
        headers = curl_slist_append(headers, "Expect:")
        switch content {
        case .file(let path, let root):
            do throws(PictureFault) {
                let file = try ImageFile(path: path, root: root)
                let first = try file.read(at: 0, count: MediaType.prefixLength)
                return postForm(.file(file), first, filename: PathText.lastComponent(of: path))
            } catch {
                return unreadable(path, error)
            }
        case .bytes(let bytes, let name): return postForm(.bytes(bytes), bytes, filename: name)
        case .json(let bytes): return postJSON(bytes)
        }
    }

    private func postJSON(_ body: [UInt8]) -> HTTPFault? {
        headers = curl_slist_append(headers, "Content-Type: application/json")
        ccurl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
        let code = body.withUnsafeBytes { bytes in
            // curl copies them, so nothing is written through this pointer.
            ccurl_set_pointer(
                handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
        }
        return code == CURLE_OK ? nil : fault(code)
    }

    /// - Parameter first: the beginning of the content, which shows its type.
    private func postForm(_ posted: PostedContent, _ first: [UInt8], filename: String) -> HTTPFault? {
        form = curl_mime_init(handle)
        guard let part = curl_mime_addpart(form) else { return fault(CURLE_OUT_OF_MEMORY) }
        curl_mime_name(part, "file")
        self.posted = posted
        let context = Unmanaged.passUnretained(self).toOpaque()
        var code = curl_mime_data_cb(part, curl_off_t(posted.size), readPosted, seekPosted, nil, context)
        curl_mime_filename(part, filename)
        curl_mime_type(part, MediaType.of(first, filename: filename))
        setRoom(for: posted.size)
        guard code == CURLE_OK else { return fault(code) }
        code = ccurl_set_pointer(handle, CURLOPT_MIMEPOST, form.map(UnsafeMutableRawPointer.init))
        return code == CURLE_OK ? nil : fault(code)
    }

    /// How many bytes curl reads and sends at a time. Its own choice takes 64 KiB for every crop, and three rounds for
    /// a photo.
    private func setRoom(for bytes: Int) {
        set(CURLOPT_UPLOAD_BUFFERSIZE, min(max(bytes + Transfer.headRoom, 16 << 10), Transfer.largestRoom))
    }

    /// Room for the headers of the request and of the form.
    private static let headRoom = 2 << 10
    private static let largestRoom = 256 << 10

    private func unreadable(_ path: String, _ fault: PictureFault) -> HTTPFault {
        HTTPFault(.unreadableFile, place: place, cause: Wording.line("\(path): \(fault.message)"))
    }

    @discardableResult
    private func set(_ option: CURLoption, _ value: Int) -> CURLcode { ccurl_set_long(handle, option, value) }

    @discardableResult
    private func set(_ option: CURLoption, _ value: String) -> CURLcode { ccurl_set_string(handle, option, value) }

    /// At least one, since zero would mean no limit at all, and at most a day.
    private func milliseconds(_ duration: Duration) -> Int { Int(min(max(duration.seconds * 1000, 1), 86_400_000)) }

    // MARK: Meanwhile

    /// Opens the socket for a connection, unless the address of the host is refused. So a name cannot lead elsewhere
    /// between a check and its use.
    func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        if let addresses {
            guard let place = NetworkAddress(ccurl_address(address)), addresses(place) else {
                refusedAddress = NetworkAddress(ccurl_address(address))
                return -1
            }
        }
        let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        return socket(address.pointee.family, kind, address.pointee.protocol)
    }

    /// Reads the next part of what is posted.
    /// - Returns: how many bytes. nil if the file is unreadable, or shorter than announced.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard let posted else { return nil }
        do throws(PictureFault) {
            let got = try posted.read(at: sent, into: buffer)
            sent += got
            return got
        } catch {
            unreadable = error
            return nil
        }
    }

    /// Sets where reading continues, for a request that is sent again.
    /// - Returns: whether there is such a place.
    func seek(to offset: Int) -> Bool {
        guard let posted, (0...posted.size).contains(offset) else { return false }
        sent = offset
        return true
    }

    /// - Returns: how many bytes were taken. If these are fewer than came, the transfer ends.
    func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard body.count + bytes.count <= request.bodyLimit else {
            isTooLarge = true
            return 0
        }
        if body.isEmpty {
            let announced = Int(ccurl_get_offset(handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T))
            body.reserveCapacity(min(max(announced, bytes.count), request.bodyLimit))
        }
        body.append(contentsOf: bytes)
        return bytes.count
    }

    // MARK: After

    /// If the server closed a kept connection at the moment of its reuse, that says nothing about the request. curl
    /// sends again by itself if it notices before it sends a body.
    func deservesFreshConnection(_ code: CURLcode) -> Bool {
        guard code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING else { return false }
        return !freshConnection && ccurl_get_long(handle, CURLINFO_NUM_CONNECTS) == 0
            && ccurl_get_long(handle, CURLINFO_HEADER_SIZE) == 0
    }

    func result(_ code: CURLcode) -> Result<HTTPResponse, HTTPFault> {
        guard code == CURLE_OK else { return .failure(fault(code)) }
        let retryAfter = ccurl_get_offset(handle, CURLINFO_RETRY_AFTER)
        return .success(
            HTTPResponse(
                status: ccurl_get_long(handle, CURLINFO_RESPONSE_CODE), body: body,
                retryAfter: retryAfter > 0 ? .seconds(retryAfter) : nil,
                seconds: Double(ccurl_get_offset(handle, CURLINFO_TOTAL_TIME_T)) / 1_000_000))
    }

    private var place: String { URLText.place(of: request.url) }

    private func fault(_ code: CURLcode) -> HTTPFault {
        if let unreadable, case .file(let path, _)? = request.content { return self.unreadable(path, unreadable) }
        let connected = ccurl_get_offset(handle, CURLINFO_PRETRANSFER_TIME_T) > 0
        let isDenied = code == CURLE_COULDNT_CONNECT && refusedAddress != nil
        let kind: HTTPFault.Kind =
            isTooLarge ? .tooLarge : isDenied ? .denied : HTTPFault.Kind(code, connected: connected)
        let status = ccurl_get_long(handle, CURLINFO_RESPONSE_CODE)
        return HTTPFault(kind, place: place, cause: Wording.line(cause(kind, code)), status: status > 0 ? status : nil)
    }

    private func cause(_ kind: HTTPFault.Kind, _ code: CURLcode) -> String {
        let systemError = Int32(ccurl_get_long(handle, CURLINFO_OS_ERRNO))
        switch kind {
        case .tooLarge: return "the answer is over \(request.bodyLimit >> 20) MiB"
        case .timeout: return "no answer within \(Wording.seconds(request.timeout))"
        case .denied:
            let address = refusedAddress.map(\.description) ?? ""
            return "the host is at \(address), a private address, which DENY_PRIVATE_IMAGE_URLS refuses"
        case .unreachable where code == CURLE_OPERATION_TIMEDOUT:
            return "no connection within \(Wording.seconds(request.connectTimeout))"
        case .unreachable where code == CURLE_COULDNT_CONNECT && systemError != 0:
            return Wording.systemError(systemError)
        case .unreachable where code == CURLE_COULDNT_RESOLVE_HOST: return "the host's name cannot be resolved"
        default:
            let detail = String(cString: errorText)
            return detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        }
    }
}

/// The write callback for curl.
private func receive(
    _ data: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let data, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.take(UnsafeRawBufferPointer(start: data, count: size * count))
}

/// The callback with which curl asks for more of what is posted.
private func readPosted(
    _ data: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let data, let context else { return Int(CURL_READFUNC_ABORT) }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.read(into: UnsafeMutableRawBufferPointer(start: data, count: size * count))
        ?? Int(CURL_READFUNC_ABORT)
}

/// The callback that curl calls before it posts again.
private func seekPosted(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32) -> Int32 {
    guard let context, origin == SEEK_SET else { return CURL_SEEKFUNC_CANTSEEK }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.seek(to: Int(offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK
}

/// The callback for a new connection, with the address to which it is about to be made.
private func connect(
    _ context: UnsafeMutableRawPointer?, _: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let address, let context else { return -1 }
    return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().openSocket(address)
}
