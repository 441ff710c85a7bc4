import Pictures
import Pipeline

extension PictureLimits {
    static func check(width: Int, height: Int) throws(PictureFault) {
        guard width > 0, height > 0 else {
            throw PictureFault(.image, "the header says \(width) × \(height) pixels")
        }
        let (area, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, area <= pixels else {
            let limit = pixels / 1_000_000
            throw PictureFault(.tooLarge, "\(width) × \(height) pixels, over the limit of \(limit) megapixels")
        }
    }
}
