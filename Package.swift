// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors where the code is checked (CI, `make lint`), not where someone builds it with a newer compiler.
let checked = Context.environment["CI"] != nil || Context.environment["FARM_CHECKED"] != nil
/// Assertions in optimised builds, too: `make simulate` and `make fuzz` (docs/decisions/0022-assertions.md).
let asserts = Context.environment["FARM_ASSERTIONS"] != nil
let settings: [SwiftSetting] =
    [.swiftLanguageMode(.v6)] + (checked ? [.treatAllWarnings(as: .error)] : [])
    + (asserts ? [.unsafeFlags(["-assert-config", "Debug"])] : [])

/// For `farm --version`. SwiftPM keeps what it read from this file for each environment, but not for each commit: what
/// `Context.gitInformation` says can be a commit of long ago.
let commit = Context.environment["FARM_COMMIT"] ?? ""

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let hummingbird: [Target.Dependency] = [
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
]
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

/// A Swift module at Sources/`path`.
func module(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/" + (path ?? name), swiftSettings: settings)
}

/// A C library of Debian's, bound by a module map.
func library(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/CLibraries/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// What `make bench` builds beside farm: other builds do not pay for it.
let benchmarks: [Target] =
    Context.environment["FARM_BENCH"] == nil
    ? []
    : [
        .executableTarget(name: "service-double", path: "Benchmarks/ServiceDouble"),
        .executableTarget(name: "measured", path: "Benchmarks/Measured"),
        library("CTurboJPEG", pkgConfig: "libturbojpeg", apt: "libturbojpeg0-dev"),
        .executableTarget(name: "bare-pictures", dependencies: ["CTurboJPEG"], path: "Benchmarks/BarePictures"),
        .executableTarget(name: "bare-rabbitmq", dependencies: ["CRabbitMQ"], path: "Benchmarks/BareRabbitMQ"),
        .executableTarget(
            name: "bare-worker", dependencies: ["CCurl", "CPostgreSQL", "CRabbitMQ"], path: "Benchmarks/BareWorker"),
        .executableTarget(
            name: "bare-up", dependencies: ["CCurl"], path: "Benchmarks/BareUp",
            linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("sqlite3")]),
        .executableTarget(name: "bare-http", dependencies: ["CCurl"], path: "Benchmarks/BareHTTP"),
        .executableTarget(name: "bare-postgresql", dependencies: ["CPostgreSQL"], path: "Benchmarks/BarePostgreSQL"),
        .executableTarget(
            name: "farm-bench",
            dependencies: [
                "Embedded", "Harmony", "Model", "Pipeline", "PostgreSQL", "RabbitMQ", "Servers", "Telemetry",
                "Waiting", grdb, logging,
            ],
            path: "Benchmarks/FarmBench", swiftSettings: settings),
    ]

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

/// Tests/Fuzzing is a suite of tests; FARM_FUZZ makes it libFuzzer's program instead (`make fuzz`).
let isFuzzed = Context.environment["FARM_FUZZ"] != nil
let fuzzed: [Target.Dependency] = [
    "CCurl", "CRabbitMQ", "Harmony", "ImageLists", "Imaging", "Model", "Operations", "Pictures", "Pipeline", "RabbitMQ",
    "Roles",
    "Services", "Settings", "Web", .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOEmbedded", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
    .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
]
let fuzzing =
    isFuzzed
    ? Target.executableTarget(
        name: "farm-fuzz", dependencies: fuzzed, path: "Tests/Fuzzing", exclude: ["Seeded"],
        swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])])
    : Target.testTarget(
        name: "FuzzTests", dependencies: fuzzed, path: "Tests/Fuzzing", exclude: ["LibFuzzer"], swiftSettings: settings)

let package = Package(
    name: "farm",
    products: [.executable(name: "farm", targets: ["farm"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        // What Hummingbird is made of, as far as Web uses it itself.
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.0.0"),
    ],
    targets: [
        library("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        library("COpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev"),
        library("CExif", pkgConfig: "libexif", apt: "libexif-dev"),
        library("CLibUUID", pkgConfig: "uuid", apt: "uuid-dev"),
        library("CMariaDB", pkgConfig: "libmariadb", apt: "libmariadb-dev"),
        library("CPostgreSQL", pkgConfig: "libpq", apt: "libpq-dev"),
        library("CRabbitMQ", pkgConfig: "librabbitmq", apt: "librabbitmq-dev"),
        .target(
            name: "CCommit", path: "Sources/CLibraries/CCommit",
            cSettings: [.define("FARM_COMMIT", to: "\"\(commit)\"")]),
        .systemLibrary(name: "CGlibc", path: "Sources/CLibraries/CGlibc"),
        .target(
            name: "CJSON", path: "Sources/CLibraries/CJSON",
            linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "CJPEG", path: "Sources/CLibraries/CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
        .target(name: "CVips", path: "Sources/CLibraries/CVips", linkerSettings: [.linkedLibrary("dl")]),

        module("Model", ["CJSON", "CLibUUID"]),
        module("Harmony", ["Model"]),
        module("Waiting"),
        module("Files", ["CGlibc", "Model"]),
        module("Pictures", ["Model"]),
        module("Pipeline", ["Model", "Pictures", "Waiting", logging]),
        module("Monitoring", ["Pipeline", "Waiting"]),
        module("Settings", ["Model"]),
        module("Roles", ["Harmony", "Model", "Pictures", "Pipeline", "Waiting", logging]),
        module("Embedded", path: "Backends/Embedded", ["Model", "Monitoring", "Pipeline", "Waiting", logging, grdb]),
        module(
            "MariaDB", path: "Backends/MariaDB", ["CMariaDB", "Model", "Monitoring", "Pipeline", "Waiting", logging]),
        module("PostgreSQL", path: "Backends/PostgreSQL", ["CPostgreSQL", "Model", "Pipeline", "Waiting", logging]),
        module("RabbitMQ", path: "Backends/RabbitMQ", ["CRabbitMQ", "Model", "Pipeline", "Waiting", logging]),
        module("Services", ["CCurl", "CGlibc", "Model", "Pictures", "Pipeline", "Waiting", logging]),
        module("ImageLists", ["Files", "Model", "Pictures", "Pipeline"]),
        module("Imaging", ["CExif", "CJPEG", "CVips", "Files", "Model", "Pictures", "Pipeline"]),
        module("Telemetry", ["Model", "Pipeline", "Waiting", logging]),
        module(
            "Operations",
            [
                "COpenSSL", "Files", "Harmony", "ImageLists", "Model", "Monitoring", "Pictures", "Pipeline", "Roles",
                "Waiting",
                logging,
            ]),
        .target(
            name: "Web",
            dependencies: [
                "COpenSSL", "Harmony", "Model", "Operations", "Pictures", "Pipeline", "Telemetry", "Waiting", logging,
            ] + hummingbird,
            path: "Sources/Web",
            resources: ["events.js", "farm.css", "farm.js", "icon.svg", "openapi.json"].map {
                .embedInCode("Assets/\($0)")
            },
            swiftSettings: settings),
        module(
            "Composition",
            [
                "Embedded", "Files", "Harmony", "Imaging", "MariaDB", "Model", "Operations", "Pictures", "Pipeline",
                "PostgreSQL", "RabbitMQ", "Roles", "Services", "Settings", "Telemetry", "Waiting", logging,
            ]),
        .executableTarget(
            name: "farm",
            dependencies: [
                argumentParser, "CCommit", "CGlibc", "Composition", "Files", "Harmony", "ImageLists", "Imaging",
                "Model", "Operations", "Pictures", "Pipeline", "Roles", "Services", "Settings",
                "Telemetry", "Waiting", "Web", logging,
            ],
            swiftSettings: settings,
            // docs/decisions/0019-the-size-of-the-program.md has what each spares. Linked with Swift's libraries, a program
            // exports all that it is made of, so that the linker may leave nothing out.
            linkerSettings: [
                .unsafeFlags(
                    [
                        "-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs", "-Xlinker",
                        "--no-export-dynamic",
                    ], .when(configuration: .release))
            ]),

        .target(
            name: "Servers", dependencies: ["CMariaDB", "CPostgreSQL"], path: "Tests/Servers", swiftSettings: settings),
        .target(
            name: "Doubles", dependencies: ["Model", "Pictures", "Pipeline", "Waiting"], path: "Tests/Doubles",
            swiftSettings: settings),
        tests("ModelTests", ["Doubles", "Model"]),
        .target(
            name: "SimulatedWorld",
            dependencies: [
                "Doubles", "Harmony", "Model", "Monitoring", "Pictures", "Pipeline", "Roles", "Services", "Waiting",
                logging,
            ],
            path: "Tests/SimulatedWorld",
            // Tens of thousands of runs are worth it, in the build of the tests too.
            swiftSettings: settings + [.unsafeFlags(["-O"])]),
        .executableTarget(
            name: "simulate", dependencies: [argumentParser, "Doubles", "Model", "SimulatedWorld"],
            path: "Tests/Simulation", swiftSettings: settings),
        tests("HarmonyTests", ["Doubles", "Harmony", "Model"], exclude: ["Reference"]),
        tests("SettingsTests", ["Model", "Settings"]),
        tests(
            "PortTests",
            [
                "Doubles", "Embedded", "Harmony", "Imaging", "MariaDB", "Model", "Operations", "Pictures", "Pipeline",
                "PostgreSQL", "RabbitMQ", "Servers", "Services", "SimulatedWorld", "Waiting", grdb, logging,
            ]),
        tests("ServiceTests", ["Doubles", "Model", "Pictures", "Pipeline", "Services", "Waiting", logging]),
        tests("ImagingTests", ["Doubles", "Files", "Imaging", "Model", "Pictures", "Pipeline"], exclude: ["Fixtures"]),
        tests(
            "OperationTests", ["Doubles", "Files", "Harmony", "Model", "Operations", "Pictures", "Pipeline", "Waiting"]),
        tests(
            "RoleTests",
            [
                "Doubles", "Embedded", "Harmony", "Model", "Monitoring", "Operations", "Pictures", "Pipeline", "Roles",
                "Waiting", logging,
            ]),
        tests("CommandTests", ["Doubles", "Model", "Servers"], exclude: ["Doubles"]),
        tests("TelemetryTests", ["Doubles", "Model", "Pipeline", "Telemetry", "Waiting", logging]),
        tests(
            "WebTests",
            [
                "Model", "Operations", "Pictures", "Pipeline", "Telemetry", "Waiting", "Web", logging,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ] + hummingbird),
        tests("SimulationTests", ["Doubles", "Model", "Operations", "SimulatedWorld"]),
        fuzzing,
    ] + benchmarks,
    cxxLanguageStandard: .cxx17
)
