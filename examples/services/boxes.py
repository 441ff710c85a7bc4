"""Boxes as (x, y, width, height) in pixels: overlap, suppression, contract's form."""

from dataclasses import dataclass

import cv2
import numpy as np

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Candidate:
    """Something a model thinks it saw, before duplicates are dropped."""

    confidence: float
    box: Box
    points: tuple[tuple[float, float], ...] = ()


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def without_duplicates(candidates, threshold: float) -> list[Candidate]:
    """Greedy non-maximum suppression, the surest first."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: -c.confidence):
        if all(overlap(candidate.box, other.box) < threshold for other in kept):
            kept.append(candidate)
    return kept


def contract_box(box: Box, width: int, height: int) -> dict | None:
    """The box in whole pixels, cut at the picture's edges; None if nothing is left."""
    left, top = max(0, round(box[0])), max(0, round(box[1]))
    right = min(width, round(box[0] + box[2]))
    bottom = min(height, round(box[1] + box[3]))
    if right <= left or bottom <= top:
        return None
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


@dataclass(frozen=True)
class Letterbox:
    """A picture scaled into a square with even margins, and the way back."""

    square: np.ndarray
    scale: float
    left: int
    top: int

    def point(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.left) / self.scale, (y - self.top) / self.scale

    def box(self, center_x: float, center_y: float, width: float, height: float) -> Box:
        x, y = self.point(center_x - width / 2, center_y - height / 2)
        return x, y, width / self.scale, height / self.scale


def letterbox(pixels: np.ndarray, size: int, margin: int) -> Letterbox:
    height, width = pixels.shape[:2]
    scale = size / max(height, width)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size - w) // 2, (size - h) // 2
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.full((size, size, 3), margin, np.uint8)
    square[top : top + h, left : left + w] = cv2.resize(
        pixels, (w, h), interpolation=how
    )
    return Letterbox(square, scale, left, top)
