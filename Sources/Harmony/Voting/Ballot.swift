import Model

/// What voting goes by: `voting` of service_config.json. The value is taken as checked.
public struct VotingOptions: Sendable, Equatable {
    /// An emoji with fewer votes does not stay; at least 1.
    public var minVotes: Int

    /// The contract's default, where nothing is said.
    public init(minVotes: Int = 2) { self.minVotes = minVotes }
}

/// Everything about one image that the consensus rests on.
public struct Ballot: Sendable {
    /// The newest row of each service, whatever its status. If a service stands twice, here or below, its row with the
    /// largest `result_id` counts.
    public var results: [StoredResult]
    /// The newest successful row of each service: these vote.
    public var successes: [StoredResult]
    /// The present fused boxes.
    public var boxes: [StoredBox]
    /// What the crop services said of the boxes; rows of other boxes are ignored.
    public var enrichments: [StoredEnrichment]
    /// The class of each service's evidence; that of a service which is missing here is the catalogue's, else none.
    public var evidence: [String: Evidence]

    /// A ballot of rows in any order.
    public init(
        results: [StoredResult], successes: [StoredResult], boxes: [StoredBox], enrichments: [StoredEnrichment],
        evidence: [String: Evidence]
    ) {
        self.results = results
        self.successes = successes
        self.boxes = boxes
        self.enrichments = enrichments
        self.evidence = evidence
    }

    func evidence(of service: String) -> Evidence {
        evidence[service] ?? CatalogueService.named(service)?.evidence ?? .none
    }
}

/// The row of each service that has the largest `result_id`, by service.
func newestOfEachService(_ rows: [StoredResult]) -> [StoredResult] {
    let newestFirst = rows.sorted { left, right in
        left.service.isExactly(right.service)
            ? left.resultID > right.resultID : left.service.precedes(right.service)
    }
    var newest: [StoredResult] = []
    for row in newestFirst where newest.last?.service.isExactly(row.service) != true { newest.append(row) }
    return newest
}
