"""How MediaPipe's detectors say where something is.

Each row of the regression is a box and some points as offsets, in pixels of the
network's square, against the cell of a grid that the row belongs to.
"""

import numpy as np

from boxes import Candidate, Letterbox


def grid(size: int, layers: list[tuple[int, int]]) -> np.ndarray:
    """Centres in pixels, for layers of (stride, anchors per cell)."""
    centers = []
    for stride, per_cell in layers:
        cells = size // stride
        steps = (np.arange(cells) + 0.5) * size / cells
        x, y = np.meshgrid(steps, steps)
        layer = np.stack([x.ravel(), y.ravel()], axis=1)
        centers.append(np.repeat(layer, per_cell, axis=0))
    return np.concatenate(centers).astype(np.float32)


def candidates(
    outputs: dict, centers: np.ndarray, framed: Letterbox, points: int, threshold: float
) -> list[Candidate]:
    count = len(centers)
    logits = outputs[1, count, 1][0, :, 0]
    regression = next(o for shape, o in outputs.items() if shape[-1] > 1)[0]
    scores = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
    found = []
    for i in np.flatnonzero(scores >= threshold):
        offsets = regression[i, : 4 + 2 * points].reshape(-1, 2)
        width, height = offsets[1].tolist()
        center, *marks = (offsets[[0, *range(2, 2 + points)]] + centers[i]).tolist()
        found.append(
            Candidate(
                float(scores[i]),
                framed.box(*center, width, height),
                tuple(framed.point(*mark) for mark in marks),
            )
        )
    return found
