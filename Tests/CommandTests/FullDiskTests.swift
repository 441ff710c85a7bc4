import Foundation
import Testing

/// On mounts of their own, which need root or user namespaces; where neither is allowed these tests are skipped.
@Suite("farm.db on a disk that is full or read-only", .serialized, .enabled { try await Mounting.isAllowed() })
struct FullDiskTests {
    /// Runs a script that may mount; in the folder `disk` a file system of this size is mounted.
    private func script(_ workplace: Workplace, size: String, _ text: String) throws -> Running {
        try workplace.write(
            "script.sh", "set -u\nmkdir disk\nmount -t tmpfs -o size=\(size) tmpfs disk || exit 99\n" + text)
        return try workplace.startBash(
            "exec \(Mounting.shell) script.sh", environment: ["FARM_DB": "disk/farm.db", "RETRY_DELAY": "0"])
    }

    /// Another process has the file open, as it is with several: else farm could not even open it on a full disk.
    private let held = """
        $FARM init > /dev/null || exit 1
        exec 9> >(sqlite3 disk/farm.db > /dev/null) && echo "SELECT count(*) FROM images;" >&9
        until [ -e disk/farm.db-shm ]; do sleep 0.05; done
        """

    @Test("an import into a full disk fails with the way to mend it, and the next one does the rest")
    func importing() async throws {
        let workplace = try Workplace()
        let lines = (1...8000).map { "http://nas.local/photos/of/some/folder/\($0).jpg\n" }
        try workplace.write("list.csv", "image_url\n" + lines.joined())
        let finished = try await script(
            workplace, size: "700k",
            """
            $FARM init > init.out || exit 1
            $FARM import list.csv > first.out 2> first.err; echo "first $?"
            mount -o remount,size=64m disk
            $FARM import list.csv > second.out 2> second.err; echo "second $?"
            sqlite3 disk/farm.db 'SELECT count(*), count(DISTINCT image_url) FROM images; PRAGMA integrity_check'
            """
        ).finished()
        #expect(finished.status == 0, "\(finished.error)")
        #expect(finished.output == "first 1\nsecond 0\n8000|8000\nok\n")
        let error = try String(contentsOfFile: workplace.path("first.err"), encoding: .utf8)
        #expect(error.contains("disk/farm.db: the disk is full: make room on it"))
    }

    @Test(
        "farm check says how little room is left, and that more is needed",
        arguments: [("32m", "failed"), ("512m", "warning")])
    func room(_ size: String, _ status: String) async throws {
        let workplace = try Workplace()
        try workplace.configure([], roles: false)
        let finished = try await script(workplace, size: size, "$FARM check; echo \"check $?\"").finished()
        let line = finished.output.split(separator: "\n").first { $0.contains("left on its disk") }
        #expect(line?.hasPrefix(status) == true, "\(finished.output)")
        #expect(finished.output.contains(status == "failed" ? "make room there, or set FARM_DB" : "check 0"))
        #expect(finished.output.hasSuffix(status == "failed" ? "check 1\n" : "check 0\n"))
    }

    @Test("submitting into a full disk waits for room, and says so; then every job is there once")
    func producing() async throws {
        let workplace = try Workplace()
        try workplace.configure([("clip", 1)])
        let lines = (1...2000).map { "http://nas.local/\($0).jpg\n" }
        try workplace.write("list.csv", "image_url\n" + lines.joined())
        let running = try script(
            workplace, size: "2m",
            """
            \(held)
            $FARM import list.csv > /dev/null || exit 1
            head -c 8m /dev/zero > disk/filler 2> /dev/null
            $FARM produce > produce.out 2> produce.err & produce=$!
            until [ -e room ]; do sleep 0.05; done
            mount -o remount,size=64m disk
            wait $produce; echo "produce $?"
            sqlite3 disk/farm.db "SELECT count(*), count(DISTINCT json_extract(body, '$.job_id')),
                count(DISTINCT json_extract(body, '$.image_id')) FROM farm_queue; PRAGMA integrity_check"
            """)
        func log() -> String { (try? String(contentsOfFile: workplace.path("produce.err"), encoding: .utf8)) ?? "" }
        try await eventually("it says so") { log().contains("the disk is full: make room on it") }
        try workplace.write("room", "")
        let finished = try await running.finished()
        #expect(finished.output == "produce 0\n2000|2000|2000\nok\n", "\(finished.error) \(log())")
    }

    @Test("roles on a full disk wait for room, and then every job is done once")
    func working() async throws {
        let scene = try await Scene(["clip", "yolov8", "colors", "face", "pose"], photos: 0)
        let workplace = scene.workplace
        try workplace.photos((1...20).map { "photos/\($0).jpg" })
        let running = try script(
            workplace, size: "4m",
            """
            \(held)
            $FARM import photos && $FARM produce || exit 1
            head -c 8m /dev/zero > disk/filler 2> /dev/null
            $FARM up --until-idle 2> up.err & up=$!
            until [ -e room ]; do sleep 0.05; done
            mount -o remount,size=64m disk
            wait $up; echo "up $?"
            sqlite3 disk/farm.db 'SELECT count(*), count(DISTINCT job_id) FROM results; SELECT count(*) FROM consensus;
                SELECT count(*) FROM farm_queue; SELECT count(*) FROM farm_dead; PRAGMA integrity_check'
            """)
        func log() -> String { (try? String(contentsOfFile: workplace.path("up.err"), encoding: .utf8)) ?? "" }
        try await eventually("the roles say so") { log().contains("taking jobs failed, trying again") }
        #expect(log().contains("disk/farm.db: the disk is full: make room on it"))
        try workplace.write("room", "")
        let finished = try await running.finished()
        #expect(finished.output.hasSuffix("up 0\n60|60\n20\n0\n0\nok\n"), "\(finished.output) \(log())")
        #expect(log().occurrences(of: "clip: taking jobs failed") == 1, "once, not with every try")
        #expect(log().occurrences(of: "the lease is not renewed") <= 1)
        try await scene.doubles.stop()
    }

    @Test("a file or a folder that is read-only is exit 2 with the way to mend it")
    func readOnly() async throws {
        let workplace = try Workplace()
        try workplace.write("list.csv", "image_url\nhttp://nas.local/1.jpg\n")
        let finished = try await script(
            workplace, size: "8m",
            """
            $FARM import list.csv > /dev/null || exit 1
            mount --bind disk/farm.db disk/farm.db && mount -o remount,ro,bind disk/farm.db || exit 99
            $FARM import list.csv 2> file.err; echo "file $?"
            umount disk/farm.db && mount -o remount,ro disk || exit 99
            $FARM import list.csv 2> folder.err; echo "folder $?"
            mount -o remount,rw disk
            $FARM import list.csv; echo "again $?"
            """
        ).finished()
        #expect(finished.output == "file 2\nfolder 2\n0 added, 1 there already\nagain 0\n", "\(finished.error)")
        for name in ["file.err", "folder.err"] {
            let error = try String(contentsOfFile: workplace.path(name), encoding: .utf8)
            #expect(error.hasPrefix("farm: disk/farm.db: "))
            #expect(
                error.contains("change its owner or mode") || error.contains("let this user write there"), "\(error)")
        }
    }
}
