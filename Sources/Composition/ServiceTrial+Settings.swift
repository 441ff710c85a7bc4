import Harmony
import Imaging
import Operations
import Roles
import Services
import Settings

extension ServiceTrial {
    /// A trial of a service as this machine calls it, but with one try only.
    package init(_ service: ServiceSettings, _ context: ProgramContext) {
        let settings = context.settings
        var endpoint = service.address
        endpoint.maxTries = 1
        self.init(
            service: TriedService(
                name: service.name, address: endpoint.address, evidence: service.evidence,
                transport: Transport(service.transport), accepts: Set(service.accepts)),
            caller: ServiceClient(
                endpoint: endpoint, client: HTTPClient(), policy: settings.images, time: context.time,
                log: context.log(service.name)),
            cropper: PictureCropper(parallelism: 1, root: settings.images.root),
            merging: MergingOptions(settings.services.merging, defaultConfidence: settings.defaultConfidence),
            time: context.time)
    }
}
