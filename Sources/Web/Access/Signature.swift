import COpenSSL

/// HMAC with SHA-256 (RFC 2104, FIPS 180-4), and comparisons that take as long whatever is in them.
enum Signature {
    /// In lower-case hexadecimal digits.
    static func hex(of text: String, key: String) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let (key, text) = (Array(key.utf8), Array(text.utf8))
        HMAC(EVP_sha256(), key, Int32(key.count), text, text.count, &digest, &count)
        assert(count == 32, "SHA-256 has 32 bytes")
        return digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// Whether two texts are the same; how long it takes tells nothing of where they differ.
    static func isEqual(_ left: String, _ right: String) -> Bool {
        // Digests are of one length, so that not even the lengths are told.
        let (left, right) = (hex(of: left, key: "compare"), hex(of: right, key: "compare"))
        return CRYPTO_memcmp(Array(left.utf8), Array(right.utf8), left.utf8.count) == 0
    }
}
