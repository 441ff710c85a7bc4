import Model

/// What takes results back. Each is one transaction under the images' locks, and safe to repeat.
public protocol ResultForgetting: Sendable {
    /// How many rows `forget` would drop.
    /// - Returns: row counts; `images` are those of them that have any.
    /// - Throws: `PortFault`.
    func holdings(of images: [ImageID]) async throws -> Totals

    /// Drops these images' results and all that was derived from them: boxes, consensus, enrichments and farm's own notes.
    /// The images stay; what comes in later stays, too.
    /// - Returns: row counts; `images` are those of them that had any.
    /// - Throws: `PortFault`.
    func forget(_ images: [ImageID]) async throws -> Totals

    /// How many rows `forget(_:services:)` would drop.
    /// - Returns: row counts; `images` are those of them that have any.
    /// - Throws: `PortFault`.
    func holdings(of images: [ImageID], services: [String]) async throws -> Totals

    /// Drops what these services have said of these images: their results, the boxes that rest on nobody else, their
    /// enrichments, and each consensus that they had a part in. Boxes that others have seen, too, stay until they are
    /// merged anew.
    /// - Returns: row counts, and the images that have to be merged or voted on again: also those that an earlier call has
    ///   changed and nobody has computed since.
    /// - Throws: `PortFault`.
    func forget(_ images: [ImageID], services: [String]) async throws -> (dropped: Totals, changed: [ImageID])

    /// Drops these images with all that `forget` drops. A result that comes in later is not taken.
    /// - Returns: row counts; `images` are those that were there.
    /// - Throws: `PortFault`.
    func remove(_ images: [ImageID]) async throws -> Totals
}
