import HTTPTypes
import Hummingbird
import Model
import Operations
import Pictures
import Waiting

extension API {
    /// So much of a file is read at a time.
    private static let chunk = 256 << 10

    /// The photo as it is. A file is read as its reader takes it, so that memory does not grow with its size.
    static func original(_ photos: Photos, _ image: Image) async throws -> Response {
        var headers: HTTPFields = [.cacheControl: "private, max-age=3600", .xContentTypeOptions: "nosniff"]
        switch try await photos.original(of: image) {
        case .bytes(let bytes, let format):
            headers[.contentType] = format.mediaTypes[0]
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .file(let file, let format):
            headers[.contentType] = format.mediaTypes[0]
            return Response(
                status: .ok, headers: headers,
                body: ResponseBody(contentLength: file.size) { writer in
                    var offset = 0
                    while offset < file.size {
                        let (start, count) = (offset, min(chunk, file.size - offset))
                        let bytes = try await offPool { Result { try file.read(at: start, count: count) } }.get()
                        // The file has become shorter: the answer cannot be what its head says.
                        guard bytes.count == count else { throw CancellationError() }
                        try await writer.write(ByteBuffer(bytes: bytes))
                        offset += count
                    }
                    try await writer.finish(nil)
                })
        }
    }
}
