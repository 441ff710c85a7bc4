import Model

/// The value of `consensus_algorithm`.
private let algorithm = "v3_voting"

/// Lets all services vote on what an image shows (spec section 7). Returns `consensus_data`, with its members always in
/// the same order, so that equal ballots give equal bytes. nil if the image has no result at all.
///
/// The contract leaves two things open. Here, `total_processing_time` (seconds, to the microsecond) is that of the
/// successful rows, which vote. `latest_result_time` is that of the newest row, even a failed one, since the consensus
/// is based on all of them.
public func vote(_ ballot: Ballot, options: VotingOptions) -> JSON? {
    let newest = newestOfEachService(ballot.results)
    let successes = newestOfEachService(ballot.successes.filter { $0.status == .success })
    guard let latest = (newest + successes).map(\.created).max() else { return nil }

    let tallies = tallies(of: successes, evidence: ballot.evidence(of:))
    let boxes = boxFindings(ballot.boxes, ballot.enrichments)
    var contenders = contenders(tallies, boxes, ballot, options)
    curate(&contenders, boxes: boxes, poseVoted: tallies.contains { $0.services.contains("pose") })

    let seconds = successes.map(\.processingTime).filter(\.isFinite).reduce(0, +)
    let failed = newest.filter { $0.status == .error }.map(\.service)
    return .object([
        "services_count": .int(Int64(successes.count)),
        "services_list": strings(successes.map(\.service)),
        "services_failed": strings(failed),
        "total_processing_time": .double(rounded(seconds, decimals: .six)),
        "latest_result_time": .string(Timestamp.iso8601(latest)),
        "consensus_algorithm": .string(algorithm),
        "votes": .object(["consensus": .array(contenders.map(\.json))]),
        "special": specialDetections(successes, boxes: boxes),
        "debug": .object([
            "detection_count": .int(Int64(tallies.reduce(0) { $0 + $1.services.count })),
            "emoji_groups": .int(Int64(tallies.count)),
        ]),
    ])
}

/// Rule 5: the emoji with enough votes, in order.
private func contenders(
    _ tallies: [Tally], _ boxes: [BoxEvidence], _ ballot: Ballot, _ options: VotingOptions
) -> [Contender] {
    var boxesOfEmoji: [ExactText: [BoxEvidence]] = [:]
    for box in boxes {
        if let emoji = box.emoji { boxesOfEmoji[ExactText(emoji), default: []].append(box) }
    }
    return tallies.filter { $0.services.count >= options.minVotes }.map { tally in
        Contender(tally, boxes: boxesOfEmoji[ExactText(tally.emoji)] ?? [], evidence: ballot.evidence(of:))
    }.sorted { $0.precedes($1) }
}
