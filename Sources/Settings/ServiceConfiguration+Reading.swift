import Model

extension ServiceConfiguration {
    /// Reads the whole file. Entries with faults are left out.
    init(_ file: ConfigurationFile, tries: TryRule, _ findings: SettingsProblems) {
        let name = file.path.shown
        self.init(path: file.path, services: [], postProcessing: [])
        let sections: Set<String> = ["services", "enrichment", "merging", "voting"]
        let ignored = ["enable_triggers": "farm always triggers the post-processing that follows"]
        guard let root = ObjectReader(file.root, at: name, known: sections, ignored: ignored, findings) else { return }
        if let entries = root.value("services") {
            read(entries, in: name, tries, findings)
        } else {
            findings.fault("\(name): services", "is missing")
        }
        if let names = root.value("enrichment") { readEnrichment(names, at: "\(name): enrichment", findings) }
        if let merging = root.value("merging") { self.merging = .init(merging, at: "\(name): merging", findings) }
        if let voting = root.value("voting") { self.voting = .init(voting, at: "\(name): voting", findings) }
    }

    private mutating func read(_ entries: JSON, in file: String, _ tries: TryRule, _ findings: SettingsProblems) {
        let place = "\(file): services"
        guard let members = entries.objectValue else {
            return findings.fault(place, "must be an object, is \(entries.kind)")
        }
        var names: Set<String> = []
        for member in members {
            guard names.insert(member.key).inserted else {
                findings.fault("\(place).\(member.key.shown)", "is given twice")
                continue
            }
            switch ServiceEntry(member.key, member.value, in: file, tries: tries, findings) {
            case .service(let service): services.append(service)
            case .role(let role, let work): if work { postProcessing.append(role) }
            case nil: break
            }
        }
        compareNames(place, findings)
        compareQueues(place, findings)
        compareAddresses(place, findings)
    }

    private mutating func readEnrichment(_ value: JSON, at place: String, _ findings: SettingsProblems) {
        guard let elements = value.arrayValue else {
            return findings.fault(place, "must be a list of services, is \(value.kind)")
        }
        var wanted: Set<String> = []
        for element in elements {
            guard let name = element.stringValue else {
                findings.fault(place, "must be a list of services, holds \(element.kind)")
                continue
            }
            guard Enrichment.services.contains(name) else {
                findings.fault(place, "may hold \(listing(Enrichment.services)), holds \"\(name.shown)\"")
                continue
            }
            wanted.insert(name)
        }
        enrichment = Enrichment.services.filter(wanted.contains)
    }

    /// Names are case-sensitive: `YOLOv8` is not the catalogue's `yolov8`, and does not get its port and evidence.
    private func compareNames(_ place: String, _ findings: SettingsProblems) {
        let known = Dictionary(uniqueKeysWithValues: CatalogueService.all.map { ($0.name.lowercased(), $0.name) })
        var owners: [String: String] = [:]
        for service in services {
            let name = service.name.lowercased()
            let other = owners.updateValue(service.name, forKey: name)
            if let catalogued = known[name], catalogued != service.name {
                findings.warning(
                    "\(place).\(service.name)",
                    "differs from the catalogue's \(catalogued) by case alone: it is another service, with a queue and "
                        + "results of its own")
            } else if let other {
                findings.warning("\(place).\(service.name)", "differs from \(other) by case alone")
            }
        }
    }

    private func compareQueues(_ place: String, _ findings: SettingsProblems) {
        var owners = Dictionary(uniqueKeysWithValues: PostProcessing.allCases.map { ($0.queue, $0.rawValue) })
        owners[Callback.queue] = Callback.service
        for service in services {
            for queue in [service.queue, service.queue + ".dead"] {
                guard let owner = owners.updateValue(service.name, forKey: queue) else { continue }
                findings.fault("\(place).\(service.name)", "its queue \(queue) is that of \(owner) too")
            }
        }
    }

    private func compareAddresses(_ place: String, _ findings: SettingsProblems) {
        var owners: [String: String] = [:]
        for service in services {
            let address = service.authority.lowercased() + service.endpoint
            guard let owner = owners.updateValue(service.name, forKey: address) else { continue }
            findings.warning("\(place).\(service.name)", "\(service.authority) is the address of \(owner) too")
        }
    }
}

extension MergingSettings {
    private static let keys: Set<String> = [
        "merge_iou", "duplicate_iou", "keep_iou", "lone_confidence", "min_confidence", "synonyms",
    ]

    init(_ value: JSON, at place: String, _ findings: SettingsProblems) {
        self.init()
        guard let section = ObjectReader(value, at: place, known: Self.keys, findings) else { return }
        mergeIoU = section.number("merge_iou", in: .overlap) ?? mergeIoU
        duplicateIoU = section.number("duplicate_iou", in: .overlap) ?? duplicateIoU
        keepIoU = section.number("keep_iou", in: .overlap) ?? keepIoU
        loneConfidence = section.number("lone_confidence", in: .fraction) ?? loneConfidence
        minConfidence = section.number("min_confidence", in: .fraction) ?? minConfidence
        guard let pairs = section.value("synonyms") else { return }
        guard let members = pairs.objectValue else {
            findings.fault("\(place).synonyms", "must be an object, is \(pairs.kind)")
            return
        }
        for member in members {
            read(member, at: "\(place).synonyms.\(member.key.shown)", findings)
        }
    }

    private mutating func read(_ synonym: JSON.Member, at place: String, _ findings: SettingsProblems) {
        guard let label = synonym.value.stringValue else {
            return findings.fault(place, "must be a string, is \(synonym.value.kind)")
        }
        let (from, to) = (synonym.key.asLabel, label.asLabel)
        guard !from.isEmpty, !to.isEmpty else { return findings.fault(place, "a label must not be empty") }
        if let other = synonyms.updateValue(to, forKey: from), other != to {
            findings.fault(place, "is given twice, with different labels")
        }
    }
}

extension VotingSettings {
    init(_ value: JSON, at place: String, _ findings: SettingsProblems) {
        self.init()
        guard let section = ObjectReader(value, at: place, known: ["min_votes"], findings) else { return }
        minVotes = section.integer("min_votes", in: 1...1000) ?? minVotes
    }
}

extension String {
    /// Normalised as labels are (spec section 6): in lower case, trimmed, with each run of white space as one space.
    fileprivate var asLabel: String { lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
