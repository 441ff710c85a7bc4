/// `value` to so many decimals, halves away from zero; never -0.0, so that equal numbers are equal bytes.
func rounded(_ value: Double, decimals: Decimals) -> Double {
    (value * decimals.rawValue).rounded() / decimals.rawValue + 0.0
}

/// How finely a number is stored.
enum Decimals: Double {
    /// Pixels.
    case two = 100
    /// Confidences and scores.
    case three = 1000
    /// Seconds.
    case six = 1_000_000
}
