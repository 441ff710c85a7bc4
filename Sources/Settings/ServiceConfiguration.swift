import Model

/// The contents of service_config.json. Without the file, the catalogue on localhost.
public struct ServiceConfiguration: Sendable, Equatable {
    /// The file as it was named, relative to the working directory. nil if there is none.
    public var path: String?
    /// The machine-learning services in the order of the file, including those of other machines.
    public var services: [ServiceSettings]
    /// The roles that this machine runs, in the order of the file.
    public var postProcessing: [PostProcessing]
    /// The crop services that the file asks for. nil if it does not say.
    public var enrichment: [String]?
    /// How boxes are merged.
    public var merging = MergingSettings()
    /// How services vote.
    public var voting = VotingSettings()

    /// The service with this name, if the configuration names it.
    public func service(named name: String) -> ServiceSettings? { services.first { $0.name == name } }

    /// The services to which an enricher of this machine sends crops: those that the file asks for, or else those that
    /// it names, or all of them if it names none.
    public var cropServices: [String] {
        if let enrichment { return enrichment }
        let named = Enrichment.services.filter { service(named: $0) != nil }
        return named.isEmpty ? Enrichment.services : named
    }
}

/// The parameters of merging (spec section 6).
public struct MergingSettings: Sendable, Equatable {
    /// Boxes of different services that overlap this much are one object; in (0, 1], like the next two.
    public var mergeIoU = 0.5
    /// Boxes of one service that overlap this much are one.
    public var duplicateIoU = 0.7
    /// A box that overlaps an earlier one this much keeps its id.
    public var keepIoU = 0.9
    /// The confidence that a box needs if only one service saw it.
    public var loneConfidence = 0.85
    /// The confidence that a box needs if there is only one detector.
    public var minConfidence = 0.25
    /// Labels to fold in addition to the built-in ones, both sides in lower case with single blanks. Applied once.
    public var synonyms: [String: String] = [:]
}

/// The parameters of voting (spec section 7).
public struct VotingSettings: Sendable, Equatable {
    /// How many services must name an emoji for it to stay, at least 1.
    public var minVotes = 2
}

extension ServiceConfiguration {
    /// The configuration without a file.
    static func catalogue(tries: TryRule) -> ServiceConfiguration {
        .init(
            path: nil, services: CatalogueService.all.map { ServiceSettings($0, tries: tries) },
            postProcessing: PostProcessing.allCases)
    }
}
