/// `value` rounded to this many decimals, with halves away from zero. Never -0.0, so that equal numbers have equal
/// bytes.
func rounded(_ value: Double, decimals: Decimals) -> Double {
    (value * decimals.rawValue).rounded() / decimals.rawValue + 0.0
}

/// The number of decimals with which a number is stored.
enum Decimals: Double {
    /// For pixels.
    case two = 100
    /// For confidences and scores.
    case three = 1000
    /// For seconds.
    case six = 1_000_000
}
