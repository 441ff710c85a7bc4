import Foundation
import Model
import Pipeline
import PostgreSQL
import Servers
import Testing

@Suite("A PostgreSQL server that speaks German")
struct PostgreSQLLanguageTests {
    @Test("is understood by its codes", .timeLimit(.minutes(5)))
    func german() async throws {
        let server = try await PostgreSQLServer.started()
        do { try await look(server) } catch {
            await server.remove()
            throw error
        }
        await server.remove()
    }

    private func look(_ server: PostgreSQLServer) async throws {
        // The server looks for locales there from its next start on.
        let folder = server.folder + "/locale"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let localedef = Process()
        localedef.executableURL = URL(fileURLWithPath: "/usr/bin/localedef")
        localedef.arguments = ["-i", "de_DE", "-f", "UTF-8", folder + "/de_DE.UTF-8"]
        try localedef.run()
        localedef.waitUntilExit()
        try await server.stop()
        try await server.start()
        try await server.run("ALTER SYSTEM SET lc_messages = 'de_DE.UTF-8'")
        try await server.run("SELECT pg_reload_conf()")
        let database = try await server.database()
        let options = server.options(database)

        var wrong = options
        wrong.password = { "x" }
        let refused = await fault { _ = try await PostgreSQLDatabase.open(wrong) }
        #expect(refused?.kind == .unusable && refused?.message.contains("DB_PASSWORD") == true)
        #expect(refused?.message.contains("Passwort-Authentifizierung") == true, "\(String(describing: refused))")
        var missing = server.options("nowhere")
        let nowhere = await fault { _ = try await PostgreSQLDatabase.open(missing) }
        #expect(nowhere?.message.contains("existiert nicht") == true && nowhere?.message.contains("DB_NAME") == true)
        missing = options
        (missing.sslMode, missing.host) = ("verify-full", "localhost")
        let untrusted = await fault { _ = try await PostgreSQLDatabase.open(missing) }
        #expect(untrusted?.kind == .unusable && untrusted?.message.contains("DB_CA_FILE") == true)

        let opened = try await PostgreSQLDatabase.open(options)
        let store = PostgreSQLStore(opened)
        let image = try #require(try await store.add([NewImage(path: "/a")], move: false).ids.first)
        try await store.record([.of(image)])
        #expect(await PostgreSQLProbe(options).findings().map(\.grade) == [.ok])
        try await server.run("ALTER TABLE results RENAME TO away", in: database.name)
        let gone = await fault { try await store.record([.of(image)]) }
        #expect(gone?.kind == .unusable && gone?.message.contains("farm init") == true)
        #expect(gone?.message.contains("Relation »results« existiert nicht") == true, "\(String(describing: gone))")
        await opened.close()
    }
}
