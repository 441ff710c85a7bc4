import Files
import Foundation
import Pipeline
import Testing

@Suite("An output file")
struct OutputFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: folder.file(name), encoding: .utf8)
    }

    private let own = Replacing.own { path in
        (try? String(contentsOfFile: path, encoding: .utf8))?.hasPrefix("own") == true
    }

    @Test("does not take the place of a file that came while it was written")
    func race() throws {
        let file = try OutputFile(folder.file("out"), replacing: own)
        try file.write(Array("own".utf8))
        _ = try folder.write(Array("a photo".utf8), as: "out")
        #expect(throws: OutputFault.self) { try file.complete(isDurable: false) }
        #expect(try text("out") == "a photo")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out"])
    }

    @Test("nor that of its own earlier file once another has come there")
    func laterRace() throws {
        let path = try folder.write(Array("own before".utf8), as: "out")
        let file = try OutputFile(path, replacing: own)
        try FileManager.default.removeItem(atPath: path)
        _ = try folder.write(Array("a photo".utf8), as: "out")
        #expect(throws: OutputFault.self) { try file.complete(isDurable: true) }
        #expect(try text("out") == "a photo")
    }

    @Test("follows links, also to what is not there yet, and leaves them")
    func links() throws {
        try FileManager.default.createDirectory(atPath: folder.file("deep"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: folder.file("first"), withDestinationPath: "deep/second")
        try FileManager.default.createSymbolicLink(atPath: folder.file("deep/second"), withDestinationPath: "../third")
        let file = try OutputFile(folder.file("first"), replacing: own)
        try file.write(Array("own".utf8))
        try file.complete(isDurable: false)
        #expect(try text("third") == "own")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("first")) == "deep/second")
        try FileManager.default.createSymbolicLink(atPath: folder.file("loop"), withDestinationPath: "loop")
        #expect(throws: OutputFault.self) { try OutputFile(folder.file("loop"), replacing: .anything) }
    }

    @Test("is hidden until it is complete, and gone when it is not completed")
    func hidden() throws {
        do {
            let file = try OutputFile(folder.file("out"), replacing: own)
            try file.write([1])
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(names.count == 1 && names[0].hasPrefix("."))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
}
