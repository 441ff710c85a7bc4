/// A place where bytes from outside come in, as a fuzzer feeds it.
struct EntryPoint: Sendable {
    /// Also that of its inputs and of its words in Tests/Corpora.
    let name: String
    /// How many inputs `make fuzz` gives it.
    var inputs = 1_000_000
    /// How long an input may become, in bytes.
    var longest = 4096
    /// A folder below Tests whose files are inputs too.
    var fixtures: String?
    /// Takes one input. It ends however hostile that is; a promise that it does not keep is `Broken`.
    let take: @Sendable (_ input: [UInt8]) throws -> Void

    /// The processor time that one input may take.
    static let limit = Duration.seconds(1)

    /// All that comes from outside. What is missing here is fuzzed by nobody.
    static let all: [EntryPoint] = [
        .environmentFile, .serviceConfiguration, .csvList, .message, .messageHeaders, .answer, .merging, .voting,
        .cropAnswer, .pictureHeader, .picture, .exif, .label, .url, .http, .retryAfter, .timestamp,
        .webRequest, .fields, .parameters, .requestObject, .multipart, .cookie, .host, .imageCursor, .plan,
    ]
}

/// A promise that was not kept.
struct Broken: Error, CustomStringConvertible {
    let description: String
}

/// - Throws: `Broken`.
func promise(_ isKept: Bool, _ what: @autoclosure () -> String) throws {
    guard isKept else { throw Broken(description: what()) }
}
