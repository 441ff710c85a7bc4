import Testing

@testable import Settings

@Suite("Where images may be taken from")
struct ImagePolicyTests {
    @Test("Anywhere, unless said otherwise")
    func defaults() throws {
        let settings = try settings([:])
        #expect(settings.imageRoot == nil)
        #expect(!settings.deniesPrivateImageURLs)
    }

    @Test("IMAGE_ROOT is made absolute from the working directory; it need not be there")
    func root() throws {
        #expect(try settings(["IMAGE_ROOT": "/srv/photos/../pictures/"]).imageRoot == "/srv/pictures")
        let machine = try Machine([".env": "IMAGE_ROOT=photos\n"])
        #expect(try machine.load().imageRoot == machine.path + "/photos")
    }

    @Test("DENY_PRIVATE_IMAGE_URLS is true or false; what is neither is a fault, not off")
    func privateURLs() throws {
        #expect(try settings(["DENY_PRIVATE_IMAGE_URLS": "yes"]).deniesPrivateImageURLs)
        #expect(try !settings(["DENY_PRIVATE_IMAGE_URLS": "false"]).deniesPrivateImageURLs)
        #expect(try faults(["DENY_PRIVATE_IMAGE_URLS": "ture"]) == ["DENY_PRIVATE_IMAGE_URLS: must be true or false"])
    }
}
