/// A colour profile (ICC.1), which says what the numbers of red, green and blue mean. Pictures that farm writes keep
/// the photo's numbers, and so its profile.
struct ColourProfile: Equatable {
    /// What precedes a profile in a JPEG segment (ICC.1, B.4). It says that this is the first of one segment.
    static let segmentStart = "ICC_PROFILE\0\u{1}\u{1}"
    /// The largest profile that fits into a segment. Profiles of cameras and screens have a few kilobytes.
    static let longest = 65_533 - segmentStart.utf8.count

    let bytes: [UInt8]

    /// - Returns: nil for a profile that is too long, or that is for other colours, such as inks. Farm writes red,
    ///   green and blue.
    init?(_ bytes: some Collection<UInt8>) {
        guard (128...Self.longest).contains(bytes.count), bytes.dropFirst(16).starts(with: "RGB ".utf8) else {
            return nil
        }
        self.bytes = Array(bytes)
    }
}
