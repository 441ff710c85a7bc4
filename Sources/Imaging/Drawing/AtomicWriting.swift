import Foundation
import Pipeline

/// Writes a file so that its path names the old contents or all of the new ones: to a temporary file beside it, which is
/// then renamed.
func writeAtomically(_ bytes: [UInt8], to path: String) throws(PictureFault) {
    let temporary = path + ".\(UUID().uuidString.prefix(8)).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .writing(path, errno) }
    var cause = write(bytes, to: descriptor)
    if close(descriptor) != 0 && cause == 0 { cause = errno }
    if cause == 0 && rename(temporary, path) != 0 { cause = errno }
    guard cause == 0 else {
        unlink(temporary)
        throw .writing(path, cause)
    }
}

/// Answers with an `errno`, 0 when all is written.
private func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
        var rest = buffer[...]
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 && errno == EINTR { continue }
            if written < 0 { return errno }
            rest = rest.dropFirst(written)
        }
        return 0
    }
}

extension PictureFault {
    fileprivate static func writing(_ path: String, _ cause: Int32) -> PictureFault {
        PictureFault(.image, "\(path): cannot be written: \(String(cString: strerror(cause)))")
    }
}
