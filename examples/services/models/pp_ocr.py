"""PP-OCRv4 mobile: finds lines of text, turns them upright and reads them.

Weights: PaddleOCR's, in PyPI rapidocr-onnxruntime 1.4.4 (Apache 2.0).
"""

import numpy as np
from rapidocr_onnxruntime import RapidOCR
from rapidocr_onnxruntime.utils.process_img import ResizeImgError

from boxes import contract_box
from images import Picture
from models.runtimes import THREADS

MAX_SIDE = 1280
DETECTOR_SIDE = 960


class PpOcr:
    def __init__(self):
        self.info = {
            "name": "PP-OCRv4 mobile",
            "framework": "RapidOCR on ONNX Runtime",
            "weights": "PyPI rapidocr-onnxruntime 1.4.4",
            "max_side": MAX_SIDE,
        }

    def load(self) -> None:
        self.reader = RapidOCR(
            intra_op_num_threads=THREADS,
            inter_op_num_threads=THREADS,
            det_limit_type="max",
            det_limit_side_len=DETECTOR_SIDE,
            max_side_len=MAX_SIDE,
        )

    def predict(self, picture: Picture) -> list[dict]:
        blue_green_red = np.ascontiguousarray(picture.pixels[:, :, ::-1])
        try:
            lines, _ = self.reader(blue_green_red)
        except ResizeImgError:
            lines = None  # so long and thin that no letter has its height
        if not lines:
            return [{"text": "", "has_text": False, "confidence": 0.0}]
        scores = [float(score) for _, _, score in lines]
        return [
            {
                "text": " ".join(text for _, text, _ in lines),
                "has_text": True,
                "emoji": "💬",
                "confidence": round(sum(scores) / len(scores), 3),
                "text_regions": [
                    {
                        "text": text,
                        "confidence": round(float(score), 3),
                        "bbox": upright_box(corners, picture),
                    }
                    for corners, text, score in lines
                ],
            }
        ]


def upright_box(corners, picture: Picture) -> dict | None:
    """The box around the four corners of a line, which may be slanted."""
    left, top = np.min(corners, axis=0).tolist()
    right, bottom = np.max(corners, axis=0).tolist()
    return contract_box((left, top, right - left, bottom - top), *picture.size)
