import Model

extension PlanFigures {
    /// The figures in the form that `init(json:)` reads (docs/planning.md).
    package var json: JSON {
        var members = [JSON.Member("services", .array(stages.map(\.json)))]
        if let broker { members.append(JSON.Member("broker", broker.json)) }
        if let database { members.append(JSON.Member("database", database.json)) }
        return .object(members)
    }
}

extension PlanFigures.Stage {
    fileprivate var json: JSON {
        var members = [JSON.Member("service", .string(service)), JSON.Member("workers", .int(Int64(workers)))]
        if boxes > 0 { members.append(JSON.Member("boxes", .int(Int64(boxes)))) }
        if let concurrency { members.append(JSON.Member("concurrency", .int(Int64(concurrency)))) }
        members.append(JSON.Member("waiting", .int(Int64(waiting))))
        members.append(JSON.Member("jobs_per_image", .rounded(jobsPerImage)))
        members.append(JSON.Member("derived_per_image", derivedPerImage.json))
        if let limit { members.append(JSON.Member("limit", .double(limit))) }
        guard let pace else { return .object(members) }
        // What one call varies is what the rate varies from minute to minute, whichever was measured.
        let calls = pace.perSecond * 60
        let deviation = (pace.dispersion / calls).squareRoot() * pace.perSecond
        let rate = Measure(pace.perSecond, deviation: deviation, count: pace.count.map { $0 / calls })
        members.append(JSON.Member("per_second", rate.json))
        if pace.isAtLeast { members.append(JSON.Member("at_least", true)) }
        return .object(members)
    }
}

extension Measure {
    fileprivate var json: JSON {
        guard deviation > 0 || count != nil else { return .double(mean) }
        return .object(
            [JSON.Member("mean", .double(mean)), JSON.Member("deviation", .double(deviation))]
                + (count.map { [JSON.Member("count", .double($0))] } ?? []))
    }
}

extension PlanFigures.Ceiling {
    fileprivate var json: JSON {
        .object(
            [JSON.Member("per_second", .double(perSecond))]
                + (perImage.map { [JSON.Member("per_image", .double($0))] } ?? [])
                + [JSON.Member("from", .string(origin))])
    }
}
