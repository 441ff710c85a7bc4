import Model
import Pictures
import Pipeline

/// Camera raw: what a sensor measured, which must be developed before it is a picture. Many kinds are TIFF files whose
/// first directory is a thumbnail, so they are recognised before anything else is read.
enum CameraRaw {
    /// The kinds by the extensions that cameras give them.
    private static let kinds = [
        "3fr": "3FR", "arw": "ARW", "cr2": "CR2", "cr3": "CR3", "crw": "CRW", "dcr": "DCR", "dng": "DNG", "erf": "ERF",
        "fff": "FFF", "gpr": "GPR", "iiq": "IIQ", "k25": "K25", "kdc": "KDC", "mef": "MEF", "mos": "MOS", "mrw": "MRW",
        "nef": "NEF", "nrw": "NRW", "orf": "ORF", "pef": "PEF", "raf": "RAF", "rw2": "RW2", "rwl": "RWL", "sr2": "SR2",
        "srf": "SRF", "srw": "SRW", "x3f": "X3F",
    ]

    /// The marks of the kinds that are not TIFF files.
    private static let marks: [(place: Int, mark: String, kind: String)] = [
        (0, "FUJIFILMCCD-RAW", "RAF"), (0, "IIRO", "ORF"), (0, "IIRS", "ORF"), (0, "MMOR", "ORF"),
        (0, "IIU\0", "RW2"), (0, "FOVb", "X3F"), (0, "\0MRM", "MRW"), (6, "HEAPCCDR", "CRW"), (4, "ftypcrx ", "CR3"),
    ]

    /// The kind, such as `DNG`, by the bytes. If the bytes are a TIFF file's and leave it open, or no picture's, the
    /// extension decides.
    /// - Parameters:
    ///   - format: the format by the mark in the bytes.
    ///   - path: the path, if it is a file.
    /// - Returns: nil if it is no camera raw.
    static func kind(
        _ reader: inout HeaderReader, _ format: PictureFormat?, path: String?
    ) throws(PictureFault) -> String? {
        for (place, mark, kind) in marks {
            if try reader.has(mark, at: place) { return kind }
        }
        guard format == nil || format == .tiff else { return nil }
        let byName = path.flatMap { kinds[pathExtension($0)] }
        guard format == .tiff else { return byName }
        // Pixels may be there, too.
        if try reader.has("CR\u{2}", at: 8), try reader.number(at: 4, bytes: 4, .little) == 16 { return "CR2" }
        if try reader.has("IIII", at: 8), try reader.has("waR", at: 13) { return "IIQ" }
        if try reader.has("MMMMRaw", at: 8) { return "IIQ" }
        switch try? reader.tiffRaw() {
        case .dng?: return byName ?? "DNG"
        case .sensor?: return byName ?? "TIFF"
        case nil: return byName
        }
    }

    private static func pathExtension(_ path: String) -> String {
        let name = PathText.lastComponent(of: path)
        return name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
    }
}

/// What makes a TIFF file a camera raw file.
enum TIFFRaw {
    /// It names its version of DNG.
    case dng
    /// One of its directories describes the pixels of a sensor.
    case sensor
}

extension HeaderReader {
    /// Far more than cameras write: they write less than ten.
    private static let mostDirectories = 16

    /// Looks at the first directories and at those below them.
    mutating func tiffRaw() throws(PictureFault) -> TIFFRaw? {
        guard let layout = try tiffLayout() else { return nil }
        var waiting = [try number(at: layout.isBig ? 8 : 4, bytes: layout.isBig ? 8 : 4, layout.order)]
        var seen: Set<Int> = []
        while let place = waiting.popLast(), seen.count < Self.mostDirectories {
            guard place > 0, seen.insert(place).inserted else { continue }
            let directory = try tiffDirectory(at: place, layout)
            if directory.entries[50_706] != nil { return .dng }
            // A colour filter array, or LinearRaw (TIFF/EP, DNG).
            if let photometric = directory.entries[262], photometric.isInteger,
                [32_803, 34_892].contains(try tiffValue(0, of: photometric, layout))
            {
                return .sensor
            }
            waiting.append(directory.next)
            guard let below = directory.entries[330], below.isOffset else { continue }
            for index in 0..<min(below.count, Self.mostDirectories) {
                waiting.append(try tiffOffset(index, of: below, layout))
            }
        }
        return nil
    }
}
