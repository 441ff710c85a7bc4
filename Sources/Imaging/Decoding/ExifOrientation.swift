import CExif

extension Orientation {
    /// Reads the orientation from EXIF data that begin with "Exif\0\0": tag 0x0112 of the first directory, as SHORT,
    /// which EXIF specifies, or as LONG, which some programs write. Damaged data count as upright.
    init(exifData bytes: UnsafeBufferPointer<UInt8>) {
        guard let data = exif_data_new() else {
            self = .upright
            return
        }
        defer { exif_data_unref(data) }
        exif_data_unset_option(data, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION)
        exif_data_load_data(data, bytes.baseAddress, UInt32(clamping: bytes.count))
        guard let entry = exif_content_get_entry(data.pointee.ifd.0, EXIF_TAG_ORIENTATION),
            entry.pointee.components > 0, let value = entry.pointee.data
        else {
            self = .upright
            return
        }
        let order = exif_data_get_byte_order(data)
        switch (entry.pointee.format, entry.pointee.size) {
        case (EXIF_FORMAT_SHORT, 2...): self.init(exif: Int(exif_get_short(value, order)))
        case (EXIF_FORMAT_LONG, 4...): self.init(exif: Int(exif_get_long(value, order)))
        default: self = .upright
        }
    }
}
