import Model
import Pictures
import Pipeline
import Testing

@Suite("A cropper of pictures", .timeLimit(.minutes(5)))
struct ImageCropperBehaviours {
    @Test("tells format, size and bytes of a picture", arguments: cropperBackends)
    func header(_ backend: CropperBackend) async throws {
        try await backend.run { base in
            let header = try await base.cropper.inspect(.file(base.picture))
            #expect(header.format == .jpeg)
            #expect(header.width >= 100 && header.height >= 100)
            #expect(header.bytes > 0)
            #expect(!header.isDrawnByFarm)
        }
    }

    @Test("has no picture of a file that is not there, for good", arguments: cropperBackends)
    func missing(_ backend: CropperBackend) async throws {
        try await backend.run { base in
            guard let missing = base.missing else { return }
            let box = Box(x: 0, y: 0, width: 9, height: 9)
            let faults = [
                await #expect(throws: PictureFault.self) { try await base.cropper.inspect(.file(missing)) },
                await #expect(throws: PictureFault.self) {
                    try await base.cropper.crop(.file(missing), to: [box], quality: 90)
                },
            ]
            #expect(faults.map { $0?.kind } == [.image, .image])
            #expect(faults.map { $0?.absence } == [nil, nil])
        }
    }

    @Test("cuts the whole pixels that each box touches, in the boxes' order", arguments: cropperBackends)
    func areas(_ backend: CropperBackend) async throws {
        try await backend.run { base in
            let header = try await base.cropper.inspect(.file(base.picture))
            let (width, height) = (Double(header.width), Double(header.height))
            let boxes = [
                Box(x: 20.5, y: 30.25, width: 10.25, height: 5), Box(x: -10, y: -10, width: 25, height: 15.5),
                Box(x: width - 5, y: height - 5, width: 50, height: 50), Box(x: 3, y: 4, width: 0.5, height: 0.5),
            ]
            let crops = try await base.cropper.crop(.file(base.picture), to: boxes, quality: 90)
            #expect((crops.width, crops.height) == (header.width, header.height))
            #expect(
                crops.crops.map { $0?.area } == [
                    Box(x: 20, y: 30, width: 11, height: 6), Box(x: 0, y: 0, width: 15, height: 6),
                    Box(x: width - 5, y: height - 5, width: 5, height: 5), Box(x: 3, y: 4, width: 1, height: 1),
                ])
            #expect(crops.crops.allSatisfy { $0?.jpeg.isEmpty == false })
            #expect(crops.faults.isEmpty)
        }
    }

    @Test("has no crop of a box that is none, or that lies outside, and no fault", arguments: cropperBackends)
    func outside(_ backend: CropperBackend) async throws {
        try await backend.run { base in
            let header = try await base.cropper.inspect(.file(base.picture))
            let boxes = [
                Box(x: 5, y: 5, width: 10, height: 10), Box(x: Double(header.width), y: 0, width: 5, height: 5),
                Box(x: -5, y: 0, width: 5, height: 5), Box(x: 5, y: 5, width: 0, height: 5),
                Box(x: 5, y: 5, width: 5, height: -1), Box(x: .nan, y: 5, width: 5, height: 5),
                Box(x: 5, y: 5, width: 5, height: .nan), Box(x: 15, y: 5, width: 10, height: 10),
            ]
            let crops = try await base.cropper.crop(.file(base.picture), to: boxes, quality: 90)
            #expect(crops.crops.map { $0 != nil } == [true, false, false, false, false, false, false, true])
            #expect(crops.faults.isEmpty)
            let none = try await base.cropper.crop(.file(base.picture), to: [], quality: 90)
            #expect(none.crops.isEmpty)
        }
    }
}
