import Model

/// What takes results back.
public protocol ResultForgetting: Sendable {
    /// How many rows `forget` would drop.
    /// - Returns: row counts; `images` are those of them that have any.
    /// - Throws: `PortFault`.
    func holdings(of images: [ImageID]) async throws -> Totals

    /// Drops these images' results and all that was derived from them: boxes, consensus, enrichments and farm's own notes.
    /// The images stay. One transaction under the images' locks, safe to repeat; what comes in later stays.
    /// - Returns: row counts; `images` are those of them that had any.
    /// - Throws: `PortFault`.
    func forget(_ images: [ImageID]) async throws -> Totals
}
