import Files
import Foundation
import Harmony
import Imaging
import Model
import Operations
import Pipeline
import Services
import Settings

extension ReadingRules {
    /// As this machine's merger and consensus read answers.
    package init(_ settings: Settings) {
        let services = settings.services.services
        let evidence = Dictionary(
            CatalogueService.all.map { ($0.name, $0.evidence) } + services.map { ($0.name, $0.evidence) }
        ) { _, configured in configured }
        self.init(
            detectors: evidence.filter { $0.value == .spatial }.keys.sorted(),
            expected: services.filter { $0.category == .primary }.map(\.name).sorted(),
            merging: MergingOptions(settings.services.merging, defaultConfidence: settings.defaultConfidence))
    }
}

extension MergingOptions {
    package init(_ merging: MergingSettings, defaultConfidence: Double) {
        self.init(
            mergeIoU: merging.mergeIoU, duplicateIoU: merging.duplicateIoU, keepIoU: merging.keepIoU,
            loneConfidence: merging.loneConfidence, minConfidence: merging.minConfidence,
            defaultConfidence: defaultConfidence, synonyms: merging.synonyms)
    }
}

extension Photos {
    /// The photos of this machine's images, under the policy that workers keep to.
    package init(_ settings: Settings) {
        let policy = settings.images
        let cropper = PictureCropper(
            parallelism: min(2, ProcessInfo.processInfo.activeProcessorCount), root: policy.root)
        let cache = settings.webCache.map { FileCache($0.folder, limit: $0.limit) }
        self.init(
            cropper: cropper, scaler: cropper, fetcher: HTTPClient(policy: policy), cache: cache, policy: policy)
    }
}
