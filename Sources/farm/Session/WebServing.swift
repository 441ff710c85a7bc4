import Composition
import Imaging
import Logging
import Operations
import Pipeline
import Settings
import Telemetry
import Waiting
import Web

/// The pages of this process: what they show, and where they are.
struct WebServing: Sendable {
    private let parts: any ReadingParts
    private let site: Site
    private let doors: Site.Doors
    private let metrics: FarmMetrics
    /// Keeps what images are searched by, until its task is cancelled.
    private let index: @Sendable () async throws -> Void
    /// nil where webhooks are off.
    private let callbacks: CallbackServing?

    /// - Parameters:
    ///   - parts: what is read.
    ///   - store: the store that is written. It throws `PortFault` while it is out of reach.
    ///   - heartbeats: where heartbeats are. nil if there are none.
    init(
        parts: any ReadingParts, store: @escaping @Sendable () async throws -> Store,
        heartbeats: @escaping @Sendable () async throws -> (any HeartbeatStore)?, context: ProgramContext
    ) {
        let settings = context.settings
        let directory = settings.directory
        let readsReplica = settings.database?.readHost != nil
        self.parts = parts
        doors = Site.Doors(
            token: settings.web.token?.reveal(), readToken: settings.web.readToken?.reveal(),
            allowedHosts: settings.web.allowedHosts)
        let board = FarmBoard(time: context.time) {
            await FarmView(parts, directory, readsReplica: readsReplica, heartbeats: heartbeats)
        }
        let rules = ReadingRules(settings)
        let photos = Photos(settings)
        let gallery = Gallery(store: { try await parts.store() }, photos: photos, rules: rules)
        let turn = DeadTurn(time: context.time)
        let helm = Helm(parts: parts, store: store, services: directory, turn: turn, time: context.time)
        let log = context.log("web")
        let cropper = PictureCropper(parallelism: 1, root: settings.images.root)
        let callbacks = CallbackServing(context, queue: { try await parts.queue() }, store: store)
        self.callbacks = callbacks
        let refusal: (@Sendable (String) -> String?)? = callbacks.map { serving in
            { @Sendable url in serving.poster.refusal(of: url) }
        }
        let api = API(
            board: board, parts: parts, store: store, services: directory, expected: rules.expected, cropper: cropper,
            photos: photos, uploads: settings.uploadFolder.map { UploadFolder($0, cropper: cropper) },
            callbacks: refusal, turn: turn, time: context.time, log: log)
        site = Site(board: board, gallery: gallery, helm: helm, doors: doors, time: context.time, api: api)
        index = {
            // A store that is out of reach is waited for, as the indexer does once it has one.
            var backOff = BackOff(base: .seconds(1), limit: .seconds(60))
            var isTold = false
            while true {
                do {
                    let store = try await store()
                    try await ImageIndexer(store: store, rules: rules, time: context.time, log: log).run()
                } catch let fault as PortFault {
                    if !isTold { log.warning("images are not indexed: \(fault)") }
                    isTold = true
                    try await context.time.sleep(backOff.next())
                }
            }
        }
        metrics = context.metrics?.metrics ?? FarmMetrics(version: FarmVersion.number)
    }

    /// - Parameter connections: queue, store and heartbeats, each opened when somebody looks.
    init(_ connections: Connections, _ context: ProgramContext) {
        let writing = WritingStore(connections)
        self.init(
            parts: ReadingBackends(connections), store: { try await writing.store() },
            heartbeats: { try await connections.monitoring() }, context: context)
    }

    func queue() async throws -> Queue { try await parts.queue() }
    func store() async throws -> Store { try await parts.store() }

    /// Serves the pages as long as `body` runs.
    /// - Parameter body: is given the address of the first page.
    /// - Throws: `CommandFailure` if it cannot listen, and what `body` throws.
    func serving<Value: Sendable>(
        at address: ListenAddress, log: Logger, _ body: (String) async throws -> Value
    ) async throws -> Value {
        let server = WebServer(
            site: site, doors: doors, metrics: metrics, host: address.host, port: address.port, log: log)
        do {
            return try await server.during { port in
                let url = WebServing.url(address.host, port)
                log.notice("pages at \(url)")
                return try await indexing { try await posting { try await acting { try await body(url) } } }
            }
        } catch let fault as ListenFault {
            throw CommandFailure.unusable("--listen: \(fault)\(fault.kind.remedy(of: "--listen"))")
        }
    }

    private func indexing<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await index() }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    /// Posts webhooks until `body` has ended, and finishes what is on its way.
    private func posting<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        guard let callbacks else { return try await body() }
        let drain = Drain()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await callbacks.run(drain) }
            defer { drain.begin() }
            return try await body()
        }
    }

    /// Once `body` has ended, lets the acts of the pages end while there is a store to write down what they came to.
    private func acting<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        await site.finishActs()
        return try result.get()
    }

    /// Where a browser on this machine finds it.
    private static func url(_ host: String, _ port: Int) -> String {
        let everywhere = ["0.0.0.0", "::"].contains(host)
        return "http://\(ListenAddress(host: everywhere ? "localhost" : host, port: port))/"
    }

    /// - Throws: `CommandFailure` for no address, and for one that others can reach while no token is set.
    static func address(_ text: String, _ settings: Settings) throws -> ListenAddress {
        guard let address = ListenAddress.parse(text) else {
            throw CommandFailure.unusable("--listen \(text): it \(ListenAddress.requirement)")
        }
        guard address.isLoopback || settings.web.token != nil else {
            throw CommandFailure.unusable(
                "--listen \(address): others can reach it there, so WEB_TOKEN must be set in .env (openssl rand -hex 32 "
                    + "makes one), or listen on 127.0.0.1")
        }
        return address
    }
}

/// The store that is written, opened when it is first needed.
private actor WritingStore {
    private let connections: Connections
    private var open: Store?

    init(_ connections: Connections) { self.connections = connections }

    /// - Throws: `PortFault`.
    func store() async throws -> Store {
        if let open { return open }
        let store = try await connections.store().store
        open = store
        return store
    }
}
