import Model

/// What service_config.json says; without the file the catalogue on localhost.
public struct ServiceConfiguration: Sendable, Equatable {
    /// The file as it was named, relative to the working directory; nil: there is none.
    public var path: String?
    /// The machine-learning services in the file's order, those of other boxes too.
    public var services: [ServiceSettings]
    /// The roles that this box runs, in the file's order.
    public var postProcessing: [PostProcessing]
    /// The crop services that the file wants; nil: it does not say.
    public var enrichment: [String]?
    /// How boxes are merged.
    public var merging = MergingSettings()
    /// How services vote.
    public var voting = VotingSettings()

    /// The service of that name, if the configuration names it.
    public func service(named name: String) -> ServiceSettings? { services.first { $0.name == name } }

    /// The services that an enricher of this box asks about crops: what the file wants, else those that it names; all of
    /// them where it names none.
    public var cropServices: [String] {
        if let enrichment { return enrichment }
        let named = Enrichment.services.filter { service(named: $0) != nil }
        return named.isEmpty ? Enrichment.services : named
    }
}

/// The parameters of merging (spec section 6).
public struct MergingSettings: Sendable, Equatable {
    /// Boxes of different services that overlap this much are one object; in (0, 1], like the other two.
    public var mergeIoU = 0.5
    /// Boxes of one service that overlap this much are one.
    public var duplicateIoU = 0.7
    /// A box that overlaps its predecessor this much keeps its id.
    public var keepIoU = 0.9
    /// What a box that only one service saw needs.
    public var loneConfidence = 0.85
    /// What a box needs where there is only one detector.
    public var minConfidence = 0.25
    /// Labels to fold besides the built-in ones, both sides in lower case with single blanks; applied once.
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
