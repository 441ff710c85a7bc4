import Harmony
import Testing

@Suite("Synonyms of labels")
struct SynonymTests {
    private func fusedLabel(_ label: String, _ synonyms: [String: String] = [:]) -> String? {
        fuse(
            [answer("a", 1, [prediction(.string(label), 0, 0, 10, 10)])],
            options: MergingOptions(synonyms: synonyms)
        ).boxes.first?.label
    }

    @Test(
        "Pascal VOC's names are built in",
        arguments: [
            ("tvmonitor", "tv"), ("motorbike", "motorcycle"), ("aeroplane", "airplane"), ("sofa", "couch"),
            ("pottedplant", "potted plant"), ("diningtable", "dining table"), ("cellphone", "cell phone"),
            ("TVMonitor ", "tv"), ("tv monitor", "tv monitor"), ("ÄPFEL", "äpfel"),
        ])
    func builtIn(label: String, folded: String) { #expect(fusedLabel(label) == folded) }

    @Test("the settings add to them and win over them, normalised as labels are")
    func added() {
        #expect(fusedLabel("puppy", [" Puppy ": "Dog"]) == "dog")
        #expect(fusedLabel("sofa", ["puppy": "dog"]) == "couch")
        #expect(fusedLabel("sofa", ["SOFA": "settee"]) == "settee")
        #expect(fusedLabel("x", ["x": "  "]) == "x")
    }

    @Test("they are applied once, whichever label is read first")
    func once() {
        let synonyms = ["a": "b", "b": "c", "c": "a"]
        for (label, folded) in synonyms { #expect(fusedLabel(label, synonyms) == folded) }
        let boxes = ["a", "b"].map { prediction(.string($0), 0, 0, 10, 10) }
        for order in [boxes, boxes.reversed()] {
            let fusion = fuse([answer("s", 1, order)], options: MergingOptions(synonyms: synonyms))
            #expect(fusion.boxes.map(\.label) == ["b", "c"])
        }
    }

    @Test("two keys that become one do not leave it to chance which counts")
    func equalKeys() {
        for _ in 0..<20 { #expect(fusedLabel("pup", ["pup": "two", "Pup": "one", " pup": "zero"]) == "zero") }
    }

    @Test("options with other synonyms are other options, and a change of them takes effect")
    func changed() {
        var options = MergingOptions()
        options.synonyms = ["dog": "hound"]
        let fusion = fuse([answer("a", 1, [prediction("dog", 0, 0, 1, 1)])], options: options)
        #expect(fusion.boxes.map(\.label) == ["hound"])
        #expect(options != MergingOptions())
        #expect(options == MergingOptions(synonyms: ["dog": "hound"]))
    }
}
