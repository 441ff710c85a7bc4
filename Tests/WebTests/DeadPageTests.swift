import Operations
import Testing

@testable import Web

@Suite("The page of dead letters")
struct DeadPageTests {
    private func question(_ isWhole: Bool) throws -> String {
        let act = try DeadAct(try Fields("act=drop&service=clip"))
        return DeadPage.question(act, DeadTally(), isWhole: isWhole).text
    }

    @Test("asks also where nothing was found because counting took too long, and sends no count then")
    func question() throws {
        #expect(try question(true).contains("There are none like this."))
        let unknown = try question(false)
        #expect(unknown.contains("<h1>Drop at least 0 dead letters?</h1>"))
        #expect(unknown.contains("<button>Drop them</button>") && !unknown.contains("total"))
    }
}
