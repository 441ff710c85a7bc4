/// A password. Nothing that prints, dumps or mirrors it shows the value. `reveal()` is the only way to get it.
public struct Secret: Sendable, Equatable {
    private let value: String

    /// Hides this text.
    public init(_ value: String) { self.value = value }

    /// The password, for the library that logs in with it.
    public func reveal() -> String { value }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always the same words.
    public var description: String { "(secret)" }

    /// Always the same words.
    public var debugDescription: String { "(secret)" }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
