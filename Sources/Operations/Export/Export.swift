import Model
import Pipeline

/// Takes an export as it comes.
package protocol ExportSink {
    func write(_ text: [UInt8]) throws
}

/// What there is to export and how it is written.
package struct Export {
    /// The form of an export.
    package enum Format {
        case coco
        case jsonl
        case csv(TableExport.Content)
    }

    /// What was written besides the images.
    package enum Written {
        /// Boxes, and rows of `merged_boxes` that hold no box: other programs'.
        case boxes(Int, unreadable: Int)
        /// All of each image.
        case images
        /// Rows of a table.
        case rows(Int)
    }

    let source: ExportSource
    /// Width and height of the picture of a path, turned upright; nil if it cannot be read here.
    let size: @Sendable (String) async -> (width: Int, height: Int)?
    /// The version of farm that an export names.
    let version: String

    /// An export of these images.
    package init(
        source: ExportSource, size: @escaping @Sendable (String) async -> (width: Int, height: Int)?, version: String
    ) {
        self.source = source
        self.size = size
        self.version = version
    }

    /// - Throws: `PortFault`, `ExportSource.Stopped`, what the sink throws.
    package func write(_ format: Format, to sink: some ExportSink) async throws -> Written {
        switch format {
        case .coco:
            var export = COCOExport(version: version, size: size)
            try await export.write(source, to: sink)
            return .boxes(export.boxes, unreadable: export.unreadable)
        case .jsonl:
            try await LinesExport().write(source, to: sink)
            return .images
        case .csv(let content):
            var export = TableExport(content)
            try await export.write(source, to: sink)
            return .rows(export.rows)
        }
    }

    /// What files of earlier exports begin with.
    package static var beginnings: [[UInt8]] {
        [COCOExport.beginning, LinesExport.beginning] + TableExport.Content.allCases.map(TableExport.beginning)
    }
}
