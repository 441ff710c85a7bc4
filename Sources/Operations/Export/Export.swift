import Model
import Pipeline

/// Receives the parts of an export.
package protocol ExportSink {
    func write(_ text: [UInt8]) throws
}

/// What is exported, and how it is written.
package struct Export {
    /// The format of an export.
    package enum Format {
        case coco
        case jsonl
        case csv(TableExport.Content)
    }

    /// What was written besides the images.
    package enum Written {
        /// How many boxes, and how many rows of `merged_boxes` hold no box. These are other programs'.
        case boxes(Int, unreadable: Int)
        /// Everything about each image.
        case images
        /// The number of rows of a table.
        case rows(Int)
    }

    let source: ExportSource
    /// The size of the picture at a path, turned upright. nil if it cannot be read here.
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

    /// The beginnings of files of earlier exports.
    package static var beginnings: [[UInt8]] {
        [COCOExport.beginning, LinesExport.beginning] + TableExport.Content.allCases.map(TableExport.beginning)
    }
}
