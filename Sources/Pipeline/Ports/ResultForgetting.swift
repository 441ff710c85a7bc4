import Model

/// Deletes results. Each method is one transaction under the images' locks, and safe to repeat.
public protocol ResultForgetting: Sendable {
    /// How many rows `forget` would delete.
    /// - Returns: row counts. `images` is how many of the images have any rows.
    /// - Throws: `PortFault`.
    func holdings(of images: [ImageID]) async throws -> Totals

    /// Deletes these images' results and everything that was derived from them: boxes, consensus, enrichments and
    /// farm's own notes. The images stay, and so does what comes in later.
    /// - Returns: row counts. `images` is how many of the images had any rows.
    /// - Throws: `PortFault`.
    func forget(_ images: [ImageID]) async throws -> Totals

    /// How many rows `forget(_:services:)` would delete.
    /// - Returns: row counts. `images` is how many of the images have any rows.
    /// - Throws: `PortFault`.
    func holdings(of images: [ImageID], services: [String]) async throws -> Totals

    /// Deletes what these services found in these images: their results, the boxes that no other service saw, their
    /// enrichments, and each consensus that they contributed to. Boxes that other services saw too stay until they are
    /// merged again.
    /// - Returns: row counts, and the images that have to be merged or voted on again. These include images that an
    ///   earlier call has changed and that nobody has computed since.
    /// - Throws: `PortFault`.
    func forget(_ images: [ImageID], services: [String]) async throws -> (dropped: Totals, changed: [ImageID])

    /// Deletes these images with everything that `forget` deletes. A result that comes in later is not taken.
    /// - Returns: row counts. `images` is how many of the images were there.
    /// - Throws: `PortFault`.
    func remove(_ images: [ImageID]) async throws -> Totals
}
