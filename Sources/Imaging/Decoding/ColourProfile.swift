/// A colour profile (ICC.1), which says what the numbers of red, green and blue mean. Pictures that farm writes keep the
/// numbers of the photo, and so its profile.
struct ColourProfile: Equatable {
    /// What stands before a profile in a JPEG's segment (ICC.1, B.4): it is the first of one segment.
    static let segmentStart = "ICC_PROFILE\0\u{1}\u{1}"
    /// So much has room in a segment. Profiles of cameras and screens take a few kilobytes.
    static let longest = 65_533 - segmentStart.utf8.count

    let bytes: [UInt8]

    /// - Returns: nil for one that is too long, or of other colours, such as inks: what farm writes is red, green and blue.
    init?(_ bytes: some Collection<UInt8>) {
        guard (128...Self.longest).contains(bytes.count), bytes.dropFirst(16).starts(with: "RGB ".utf8) else {
            return nil
        }
        self.bytes = Array(bytes)
    }
}
