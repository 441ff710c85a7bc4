import Model

/// Reads the figures of a plan from JSON (docs/planning.md). What is wrong is told with the place of its field.
struct PlanFile {
    private static let stageFields = [
        "service", "workers", "boxes", "concurrency", "waiting", "jobs_per_image", "derived_per_image", "seconds",
        "per_second", "at_least", "limit",
    ]

    /// - Throws: `OperationFault` that names the field.
    static func figures(_ json: JSON) throws(OperationFault) -> PlanFigures {
        let file = try Field(json, "").object(of: ["services", "broker", "database"])
        guard let services = file["services"]?.json.arrayValue, !services.isEmpty else {
            throw .unusable("services: must be a list of at least one service")
        }
        var stages: [PlanFigures.Stage] = []
        for (place, service) in services.enumerated() {
            let stage = try stage(Field(service, "services[\(place)]"))
            guard !stages.contains(where: { $0.service == stage.service }) else {
                throw .unusable("services[\(place)].service: \(stage.service.printable(upTo: 60)) is there twice")
            }
            stages.append(stage)
        }
        return PlanFigures(
            stages: stages, broker: try file["broker"].map(ceiling), database: try file["database"].map(ceiling))
    }

    private static func stage(_ field: Field) throws(OperationFault) -> PlanFigures.Stage {
        let fields = try field.object(of: stageFields)
        guard let name = fields["service"]?.json.stringValue, !name.isEmpty else {
            throw .unusable("\(field.place).service: the name of the service is missing")
        }
        guard let workers = fields["workers"] else { throw .unusable("\(field.place).workers: is missing") }
        let isRole = PostProcessing(rawValue: name) != nil
        var stage = PlanFigures.Stage(
            service: name, jobsPerImage: isRole ? 0 : 1, derivedPerImage: Measure(isRole ? 1 : 0),
            workers: try workers.whole(0...100_000), pace: nil, origin: "the file")
        if let boxes = fields["boxes"] { stage.boxes = try boxes.whole(0...max(1, stage.workers)) }
        stage.concurrency = try fields["concurrency"]?.whole(1...10_000)
        stage.waiting = try fields["waiting"]?.whole(0...1_000_000_000_000) ?? 0
        if let jobs = fields["jobs_per_image"] { stage.jobsPerImage = try jobs.number(0...10_000) }
        if let derived = fields["derived_per_image"] { stage.derivedPerImage = try derived.measure(0...10_000) }
        stage.limit = try fields["limit"]?.number(1e-6...1e9)
        switch (fields["seconds"], fields["per_second"]) {
        case (let seconds?, nil):
            let times = try seconds.measure(1e-6...86_400)
            stage.pace = Pace(seconds: times, concurrency: stage.concurrency ?? (isRole ? 1 : 4))
            if !isRole, stage.concurrency == nil { stage.concurrency = 4 }
        case (nil, let rate?): stage.pace = Pace(perSecond: try rate.measure(1e-6...1e7))
        case (_?, let rate?): throw .unusable("\(rate.place): give seconds or per_second, not both")
        case (nil, nil): break
        }
        if let flag = fields["at_least"] {
            guard let isAtLeast = flag.json.boolValue else { throw .unusable("\(flag.place): must be true or false") }
            stage.pace?.isAtLeast = isAtLeast
        }
        return stage
    }

    private static func ceiling(_ field: Field) throws(OperationFault) -> PlanFigures.Ceiling {
        let fields = try field.object(of: ["per_second", "per_image", "from"])
        guard let perSecond = fields["per_second"] else { throw .unusable("\(field.place).per_second: is missing") }
        return PlanFigures.Ceiling(
            perSecond: try perSecond.number(1e-3...1e9), perImage: try fields["per_image"]?.number(1e-3...1e6),
            origin: fields["from"]?.json.stringValue ?? "the file")
    }
}

extension PlanFigures {
    /// Reads a plan file.
    /// - Throws: `OperationFault` that names the field that is missing or wrong.
    package init(json: JSON) throws(OperationFault) { self = try PlanFile.figures(json) }
}

/// A value with its place in the file.
private struct Field {
    let json: JSON
    let place: String

    init(_ json: JSON, _ place: String) {
        self.json = json
        self.place = place
    }

    func object(of known: [String]) throws(OperationFault) -> [String: Field] {
        guard let members = json.objectValue else {
            throw .unusable("\(place.isEmpty ? "the file" : place): must be an object")
        }
        var fields: [String: Field] = [:]
        for member in members {
            let path = place.isEmpty ? member.key.printable(upTo: 60) : "\(place).\(member.key.printable(upTo: 60))"
            guard known.contains(member.key) else {
                throw .unusable("\(path): is not known; known are \(known.joined(separator: ", "))")
            }
            guard fields[member.key] == nil else { throw .unusable("\(path): is there twice") }
            fields[member.key] = member.value == .null ? nil : Field(member.value, path)
        }
        return fields
    }

    func number(_ range: ClosedRange<Double>) throws(OperationFault) -> Double {
        guard let number = json.numberValue else { throw .unusable("\(place): must be a number") }
        guard range.contains(number) else {
            throw .unusable(
                "\(place): must be \(text(range.lowerBound)) to \(text(range.upperBound)), is \(text(number))")
        }
        return number
    }

    func whole(_ range: ClosedRange<Int>) throws(OperationFault) -> Int {
        guard let number = json.integerValue else { throw .unusable("\(place): must be a whole number") }
        guard range.contains(number) else {
            throw .unusable("\(place): must be \(range.lowerBound) to \(range.upperBound), is \(number)")
        }
        return number
    }

    /// A number, or a mean with its deviation and how often it was measured.
    func measure(_ range: ClosedRange<Double>) throws(OperationFault) -> Measure {
        guard json.objectValue != nil else { return Measure(try number(range)) }
        let fields = try object(of: ["mean", "deviation", "count"])
        guard let mean = fields["mean"] else { throw .unusable("\(place).mean: is missing") }
        return Measure(
            try mean.number(range), deviation: try fields["deviation"]?.number(0...1e9) ?? 0,
            count: try fields["count"]?.number(0...1e15))
    }

    private func text(_ number: Double) -> String {
        Int(exactly: number).map(String.init) ?? "\(number)"
    }
}
