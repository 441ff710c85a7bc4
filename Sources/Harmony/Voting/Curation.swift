/// Lets findings elsewhere in the picture confirm or weaken 🧑 and 🔞 (spec section 7, rule 6). The order of the emoji
/// has been decided before.
/// - Parameter poseVoted: whether the pose service voted for any emoji.
func curate(_ contenders: inout [Contender], boxes: [BoxEvidence], poseVoted: Bool) {
    let (personStays, faceStays) = (contenders.contains { $0.emoji == "🧑" }, contenders.contains { $0.emoji == "🙂" })
    let people = boxes.filter(\.showsPerson)
    for index in contenders.indices {
        switch contenders[index].emoji {
        case "🧑":
            if faceStays || people.contains(where: { !$0.faces.isEmpty }) {
                contenders[index].adjust(by: 1, because: "face_confirmed")
            }
            if poseVoted || people.contains(where: \.hasPose) {
                contenders[index].adjust(by: 1, because: "pose_confirmed")
            }
        case "🔞" where personStays: contenders[index].adjust(by: 1, because: "human_context_confirmed")
        case "🔞": contenders[index].adjust(by: -1, because: "suspicious_no_humans")
        default: break
        }
    }
}
