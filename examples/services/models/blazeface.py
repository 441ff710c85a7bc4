"""BlazeFace, short and full range: faces near and farther away.

Weights: MediaPipe's, in PyPI mediapipe 0.10.14 (Apache 2.0). Runs on LiteRT.
"""

import packaged
from boxes import contract_box, letterbox, without_duplicates
from images import Picture
from models.mediapipe_anchors import candidates, grid
from models.runtimes import LiteNetwork

THRESHOLD = 0.6
DUPLICATE_OVERLAP = 0.3
KEYPOINTS = (
    "right_eye",
    "left_eye",
    "nose_tip",
    "mouth_center",
    "right_ear_tragion",
    "left_ear_tragion",
)


class BlazeFace:
    def __init__(self):
        self.info = {
            "name": "BlazeFace, short range and full range (sparse)",
            "framework": "LiteRT",
            "weights": "PyPI mediapipe 0.10.14",
            "threshold": THRESHOLD,
        }

    def load(self) -> None:
        def network(name: str) -> LiteNetwork:
            folder = packaged.path("mediapipe", "modules", "face_detection")
            return LiteNetwork(folder / f"face_detection_{name}.tflite")

        self.ranges = [
            (128, grid(128, [(8, 2), (16, 6)]), network("short_range")),
            (192, grid(192, [(4, 1)]), network("full_range_sparse")),
        ]

    def predict(self, picture: Picture) -> list[dict]:
        found = []
        for size, centers, network in self.ranges:
            framed = letterbox(picture.pixels, size, margin=0)
            outputs = network.run(framed.square[None] / 127.5 - 1)
            count = len(KEYPOINTS)
            found += candidates(outputs, centers, framed, count, THRESHOLD)
        predictions = []
        for face in without_duplicates(found, DUPLICATE_OVERLAP):
            box = contract_box(face.box, *picture.size)
            if box:
                marks = [[round(x), round(y)] for x, y in face.points]
                predictions.append(
                    {
                        "label": "face",
                        "emoji": "🙂",
                        "confidence": round(face.confidence, 3),
                        "bbox": box,
                        "keypoints": dict(zip(KEYPOINTS, marks)),
                    }
                )
        return predictions
