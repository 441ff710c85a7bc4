/// Numbered boxes, and which of them overlap another one. A few boxes are simply compared one by one. Many, as a broken
/// or hostile detector may send, are kept in a grid, so that the time does not grow with the square of their number.
struct BoxSet {
    private var corners: [Corners] = []
    private var grid: BoxGrid?

    private static let gridPays = 256

    init() {}

    /// An empty set for boxes like those in `expected`.
    init(among expected: some Collection<Corners>) { clear(for: expected) }

    /// Empties the set, and makes the grid suit boxes like those in `expected`.
    mutating func clear(for expected: some Collection<Corners>) {
        corners.removeAll(keepingCapacity: true)
        grid = expected.count >= BoxSet.gridPays ? BoxGrid(for: expected) : nil
    }

    mutating func append(_ box: Corners) {
        grid?.insert(corners.count, box)
        corners.append(box)
    }

    mutating func move(_ number: Int, to box: Corners) {
        grid?.move(number, from: corners[number], to: box)
        corners[number] = box
    }

    /// Calls `body` with the number and the IoU of each box whose IoU with `box` is at least `threshold`, in no
    /// particular order.
    @inline(__always)
    func forEach(overlapping box: Corners, from threshold: Double, _ body: (Int, Double) -> Void) {
        if let grid {
            grid.forEach(near: box, threshold: threshold) { number in
                let iou = corners[number].intersectionOverUnion(box)
                if iou >= threshold { body(number, iou) }
            }
        } else {
            for number in corners.indices {
                let iou = corners[number].intersectionOverUnion(box)
                if iou >= threshold { body(number, iou) }
            }
        }
    }
}

/// Numbered boxes in cells, by their left and upper edges. Columns and rows are chosen so that each holds the same
/// number of expected boxes. So the grid suits any scale, and costs at most one visit to every box.
struct BoxGrid {
    private let columns: [Double]
    private let rows: [Double]
    private var cells: [[Int32]]

    private static let boxesPerCell = 4.0

    init(for expected: some Collection<Corners>) {
        let side = max(1, Int((Double(expected.count) / BoxGrid.boxesPerCell).squareRoot()))
        columns = BoxGrid.cuts(expected.map(\.left), parts: side)
        rows = BoxGrid.cuts(expected.map(\.top), parts: side)
        cells = Array(repeating: [], count: (columns.count + 1) * (rows.count + 1))
    }

    mutating func insert(_ number: Int, _ box: Corners) { cells[cell(of: box)].append(Int32(number)) }

    mutating func move(_ number: Int, from old: Corners, to new: Corners) {
        let (source, target) = (cell(of: old), cell(of: new))
        guard source != target else { return }
        cells[source].removeAll { $0 == number }
        cells[target].append(Int32(number))
    }

    /// Visits every box whose IoU with `box` is at least `threshold`, and some others.
    ///
    /// Such a box shares at least `threshold` of its width with `box`, so it is at most width ÷ threshold wide. Since
    /// they overlap, it begins no farther than that to the left of `box`, and before the right edge of `box`. Rows work
    /// the same way.
    func forEach(near box: Corners, threshold: Double, _ body: (Int) -> Void) {
        let left = BoxGrid.part(of: box.left - box.width / threshold, columns)
        let right = BoxGrid.part(of: box.right, columns)
        let top = BoxGrid.part(of: box.top - box.height / threshold, rows)
        let bottom = BoxGrid.part(of: box.bottom, rows)
        guard left <= right, top <= bottom else { return }
        for row in top...bottom {
            for column in left...right {
                for number in cells[row * (columns.count + 1) + column] { body(Int(number)) }
            }
        }
    }

    private func cell(of box: Corners) -> Int {
        BoxGrid.part(of: box.top, rows) * (columns.count + 1) + BoxGrid.part(of: box.left, columns)
    }

    private static func cuts(_ values: [Double], parts: Int) -> [Double] {
        let sorted = values.sorted()
        var cuts: [Double] = []
        for part in 1..<max(parts, 1) {
            let cut = sorted[part * sorted.count / parts]
            if cuts.last != cut { cuts.append(cut) }
        }
        return cuts
    }

    /// How many cuts are at or below `value`.
    private static func part(of value: Double, _ cuts: [Double]) -> Int {
        var (low, high) = (0, cuts.count)
        while low < high {
            let middle = (low + high) / 2
            if cuts[middle] <= value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
