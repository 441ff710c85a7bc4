import Pipeline
import Testing

@testable import Imaging

@Suite("The libraries that read pictures")
struct PictureLibraryTests {
    @Test(
        "libheif is old or new by its numbers, not by their text",
        arguments: [
            ("1.15.1", false), ("1.9.1", false), ("1.17.6", false), ("1.18.0", true), ("1.23.0", true), ("2.0.0", true),
        ])
    func versions(_ version: String, _ isNew: Bool) {
        let finding = PictureLibraries.finding(heif: version)
        #expect(finding.grade == (isNew ? .ok : .warning))
        #expect(finding.message.contains("libheif \(version)"))
        #expect(PictureLibraries.finding(heif: nil).message.contains("libheif1"))
    }

    @Test("what is said of this machine's libheif is true of a photo as iOS 18 makes them")
    func ios18() async throws {
        let finding = await PictureLibraries.finding()
        #expect(try finding.message.contains("libheif \(#require(PictureLibraries.heifVersion))"))
        let bytes = try Fixtures.bytes("ios18.heic")
        let picture = try? bytes.withUnsafeBufferPointer { try Vips(for: "HEIC").decode($0, as: .heif) }
        #expect((picture != nil) == (finding.grade == .ok), "\(finding)")
    }
}
