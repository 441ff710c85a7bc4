import Model

extension Box {
    /// Intersection over union (IoU) with another box, 0…1; 0 where both are without area.
    package func intersectionOverUnion(_ other: Box) -> Double {
        let across = min(x + width, other.x + other.width) - max(x, other.x)
        let down = min(y + height, other.y + other.height) - max(y, other.y)
        guard across > 0, down > 0 else { return 0 }
        let common = across * down
        return common / (area + other.area - common)
    }
}
