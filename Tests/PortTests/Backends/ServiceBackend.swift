import Doubles
import Foundation
import Model
import Pipeline
import Services
@testable import SimulatedWorld
import Synchronization
import Testing
import Waiting

/// A service that claims the behaviours of `AnalysisService`. A new one joins with a line in `serviceBackends`.
struct ServiceBackend: Sendable, CustomTestStringConvertible {
    /// How the service is when a test begins.
    enum Mood: Sendable {
        case works
        /// Each answer says that it has failed.
        case fails
        /// Nobody listens there, until `up`.
        case isDown
    }

    typealias Test = @Sendable (ServiceBase) async throws -> Void

    var name: String
    /// Runs a test on a service of its own.
    var run: @Sendable (Mood, @escaping Test) async throws -> Void

    var testDescription: String { name }
}

/// The client that farm runs with, over HTTP; the same one over the simulation's network; and the double of the roles' tests.
let serviceBackends = [ServiceBackend.overHTTP, .simulated, .scripted]

/// A service of one test's own.
struct ServiceBase: Sendable {
    var service: any AnalysisService
    /// A picture that it can be asked about.
    var picture: AnalysisSubject
    /// Returns once somebody waits for permits.
    var waits: @Sendable () async throws -> Void = {}
    /// The service is there, from now on; who waits finds out.
    var up: @Sendable () async throws -> Void = {}
}

extension ServiceBackend {
    static let overHTTP = ServiceBackend(name: "a client over HTTP") { mood, test in
        let server = try MisbehavingServer(listening: mood != .isDown) { _ in
            mood == .fails ? .json(#"{"status": "error", "error": {"message": "no idea"}}"#) : .success
        }
        let time = ManualTime()
        let client = ServiceClient(
            endpoint: ServiceEndpoint(
                name: "blip", host: "127.0.0.1", port: server.port, timeout: .seconds(30), maxTries: 3,
                retryDelay: .seconds(4), concurrency: 4),
            client: HTTPClient(), time: time, log: quiet)
        try await test(
            ServiceBase(
                service: client, picture: .url("http://pictures/1.jpg"), waits: { await time.sleepers(1) },
                up: {
                    server.listen()
                    time.advance(by: .seconds(5))
                }))
    }

    static let simulated = ServiceBackend(name: "a client over the simulated network") { mood, test in
        try await SimulatedBench.run(faults: mood == .fails ? [.finalAnswer: 1] : [:]) { bench in
            let process = bench.process()
            let name = bench.conditions.plan.detectors[0]
            let client = ServiceClient(
                endpoint: ServiceEndpoint(
                    name: name, host: name, port: 1, timeout: .seconds(30), maxTries: 3, retryDelay: .seconds(4),
                    concurrency: 4),
                client: Network(album: bench.album, process: process) { _ in }, time: process,
                randomness: bench.conditions.dice.unit, log: quiet)
            if mood == .isDown { bench.conditions.begin(.serviceDown, of: name, for: .seconds(100_000)) }
            try await test(
                ServiceBase(
                    service: client, picture: .url("http://images/1.jpg"),
                    waits: { try await bench.sleep(.seconds(1)) },
                    up: { bench.conditions.begin(.serviceDown, of: name, for: .seconds(0)) }))
        }
    }

    static let scripted = ServiceBackend(name: "the scripted service") { mood, test in
        let service = ScriptedService("blip") { _, _ in
            guard mood == .fails else { return .answered(.of("blip", [])) }
            return .failed(
                AnalysisFailure(kind: .serviceError, message: "no idea", tries: 1, firstFailure: Date()))
        }
        if mood == .isDown { service.setOutage("blip is down: connection refused") }
        try await test(
            ServiceBase(
                service: service, picture: .url("http://pictures/1.jpg"),
                waits: { while !service.isAwaited { await Task.yield() } }, up: { service.setOutage(nil) }))
    }
}
