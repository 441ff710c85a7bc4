import Files
import Foundation
import Testing

/// A folder of one test, removed with it.
final class TestFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "farm-operations-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// All files below it, those of nobody's too.
    var files: [String] {
        (FileManager.default.enumerator(atPath: path)?.allObjects ?? []).compactMap { $0 as? String }.filter {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(path)/\($0)", isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }
}

@Suite("Files that can be made again")
struct FileCacheTests {
    private static func bytes(_ value: UInt8, _ count: Int = 1000) -> [UInt8] { Array(repeating: value, count: count) }

    private func age(_ folder: TestFolder, _ name: UUID, by seconds: Double) throws {
        let path = "\(folder.path)/cache/\(name.uuidString.lowercased().prefix(2))/\(name.uuidString.lowercased())"
        let time = Date().addingTimeInterval(-seconds).timeIntervalSince1970
        var times = [timespec(tv_sec: Int(time), tv_nsec: 0), timespec(tv_sec: Int(time), tv_nsec: 0)]
        let outcome = utimensat(AT_FDCWD, path, &times, 0)
        #expect(outcome == 0)
    }

    @Test("are kept under a name, for all processes, and taken out of it")
    func keeping() throws {
        let folder = try TestFolder()
        let cache = FileCache(folder.path + "/cache", limit: 1 << 20)
        let name = UUID()
        #expect(cache.entry(name) == nil)
        #expect(cache.keep(Self.bytes(1), as: name))
        #expect(FileCache(folder.path + "/cache", limit: 1 << 20).entry(name)?.bytes == Self.bytes(1))
        #expect(cache.keep(Self.bytes(2), as: name))
        #expect(cache.entry(name)?.bytes == Self.bytes(2))
        cache.remove(name)
        #expect(cache.entry(name) == nil)
        #expect(!cache.keep([], as: name))
        #expect(!FileCache(folder.path + "/small", limit: 10).keep(Self.bytes(1), as: name))
        #expect(!FileCache("/proc/none/cache", limit: 1 << 20).keep(Self.bytes(1), as: name))
    }

    @Test("make room for each other: what was not used for the longest time goes first")
    func room() throws {
        let folder = try TestFolder()
        let cache = FileCache(folder.path + "/cache", limit: 10_000)
        let names = (0..<10).map { _ in UUID() }
        for (number, name) in names.enumerated() {
            #expect(cache.keep(Self.bytes(UInt8(number)), as: name))
            try age(folder, name, by: Double(1000 - number))
        }
        #expect(cache.entry(names[0]) != nil)
        // Read, so used now: the second is the one that was not used for the longest time.
        #expect(cache.keep(Self.bytes(10, 2000), as: UUID()))
        cache.sweep()
        #expect(cache.entry(names[0]) != nil)
        #expect(cache.entry(names[1]) == nil)
        #expect(cache.entry(names[2]) == nil)
        #expect(cache.entry(names[3]) == nil)
        #expect(cache.entry(names[9]) != nil)
    }

    @Test("stay within their limit, by a tenth for each process that writes at once", .timeLimit(.minutes(2)))
    func limit() async throws {
        let folder = try TestFolder()
        let limit = 50_000
        let path = folder.path + "/cache"
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    let cache = FileCache(path, limit: limit)
                    for number in 0..<300 {
                        let name = UUID()
                        cache.keep(Self.bytes(UInt8(worker), 500 + number), as: name)
                        if let entry = cache.entry(name) { #expect(entry.bytes.count == 500 + number) }
                    }
                }
            }
        }
        func size() -> Int {
            folder.files.reduce(0) { sum, file in
                let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(file)")
                return sum + (attributes?[.size] as? Int ?? 0)
            }
        }
        repeat {
            // A process that another test is just starting holds a sweeper's lock, too, until it has become another program.
            let lock = open(path + "/.lock", O_RDWR)
            flock(lock, LOCK_EX)
            close(lock)
            FileCache(path, limit: limit).sweep()
        } while size() > limit
        #expect(!folder.files.contains { $0.hasSuffix(".part") })
    }

    @Test("leave nothing behind of a process that was killed while it wrote, nor touch what another one is writing")
    func leftovers() throws {
        let folder = try TestFolder()
        let cache = FileCache(folder.path + "/cache", limit: 10_000)
        cache.keep(Self.bytes(1), as: UUID())
        let part = try #require(folder.files.first { !$0.hasSuffix(".lock") }).split(separator: "/").dropLast().joined(
            separator: "/")
        for name in ["old", "new"] {
            try Data(Self.bytes(3)).write(to: URL(filePath: "\(folder.path)/\(part)/.\(name).part"))
        }
        let time = Int(Date().timeIntervalSince1970) - 7200
        var times = [timespec(tv_sec: time, tv_nsec: 0), timespec(tv_sec: time, tv_nsec: 0)]
        let outcome = utimensat(AT_FDCWD, "\(folder.path)/\(part)/.old.part", &times, 0)
        #expect(outcome == 0)
        cache.sweep()
        #expect(!folder.files.contains { $0.hasSuffix(".old.part") })
        #expect(folder.files.contains { $0.hasSuffix(".new.part") })
    }

    @Test("a stamp tells a file that was changed or replaced from what it was")
    func stamps() throws {
        let folder = try TestFolder()
        let path = folder.path + "/a"
        #expect(FileStamp(of: path) == nil)
        #expect(FileStamp(of: folder.path) == nil)
        try Data(Self.bytes(1)).write(to: URL(filePath: path))
        let first = try #require(FileStamp(of: path))
        #expect(FileStamp(of: path)?.text == first.text)
        try Data(Self.bytes(2)).write(to: URL(filePath: path), options: .atomic)
        #expect(FileStamp(of: path)?.text != first.text)
    }
}
