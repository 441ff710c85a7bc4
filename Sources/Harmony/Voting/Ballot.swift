import Model

/// The options of voting: `voting` of service_config.json. The value has been checked already.
public struct VotingOptions: Sendable, Equatable {
    /// An emoji with fewer votes does not stay. At least 1.
    public var minVotes: Int

    /// The default is that of the contract.
    public init(minVotes: Int = 2) { self.minVotes = minVotes }
}

/// Everything about one image that its consensus is based on.
public struct Ballot: Sendable {
    /// The newest row of each service, whatever its status. If a service is there twice, here or below, its row with
    /// the largest `result_id` counts.
    public var results: [StoredResult]
    /// The newest successful row of each service. These rows vote.
    public var successes: [StoredResult]
    /// The present fused boxes.
    public var boxes: [StoredBox]
    /// The answers of crop services about the boxes. Rows of other boxes are ignored.
    public var enrichments: [StoredEnrichment]
    /// The class of each service's evidence. For a service that is missing here, the catalogue decides; if it is
    /// missing there too, it has none.
    public var evidence: [String: Evidence]

    /// A ballot. The rows may be in any order.
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
