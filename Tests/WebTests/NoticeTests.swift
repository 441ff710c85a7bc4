import Testing

@testable import Web

@Suite("The result of an act")
struct NoticeTests {
    @Test(
        "is said of acts and names that are known, and an address that somebody made up says nothing",
        arguments: [
            ("done=paused&what=clip", "clip is paused. Workers obey within five seconds."),
            ("done=resumed&what=clip", "clip is resumed."),
            ("done=limited&what=clip", "The limits of clip are set. Workers obey within five seconds."),
            ("done=paused&what=Call+0123", nil), ("done=paused", nil), ("done=burnt&what=clip", nil),
            ("what=clip", nil),
            ("done=begun&what=clip", nil), ("done=paused&what=clip%20", nil),
        ] as [(String, String?)])
    func control(query: String, text: String?) throws {
        #expect(Page.Notice.control(try Fields(query), known: ["blip", "clip"])?.text == text)
        #expect(Page.Notice.control(try Fields(query), known: []) == nil)
    }

    @Test("of services that are asked again is a number, and of dead letters nothing that the address says")
    func others() throws {
        for (query, text) in [
            ("done=rerun&what=0", "No service is like that here: nothing was asked."),
            ("done=rerun&what=1", "One service is asked again. Load this page again to see its answer."),
            ("done=rerun&what=12", "12 services are asked again. Load this page again to see their answers."),
            ("done=rerun&what=All+of+your", nil), ("done=rerun&what=-1", nil),
            ("done=rerun&what=99999999999999999999", nil),
            ("done=rerun", nil), ("done=paused&what=1", nil),
        ] as [(String, String?)] {
            #expect(Page.Notice.rerun(try Fields(query))?.text == text, "\(query)")
        }
        #expect(Page.Notice.dead(try Fields("done=begun&what=x"))?.text == "It has begun, and goes on by itself.")
        #expect(Page.Notice.dead(try Fields("done=stopped"))?.text == "It stops after what is at hand.")
        #expect(Page.Notice.dead(try Fields("done=burnt")) == nil)
    }
}
