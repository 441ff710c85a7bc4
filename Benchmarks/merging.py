"""Weighted boxes fusion by ensemble-boxes, for measuring farm's merge against it.

  make FILE   writes images: a list of {SERVICE: {"predictions": [...]}} with 5 services and 20 boxes each
  fuse FILE   fuses each of them; prints the processor time that took, in seconds, reading and converting aside
"""

import json
import random
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "Tests/HarmonyTests/Reference"))
from ensemble_boxes_reference import load_weighted_boxes_fusion

WIDTH, HEIGHT = 1152, 864
IMAGES, BOXES = 100, 20
SERVICES = ["detectron2", "rtdetr", "yolo11", "yolov5", "yolov8"]
LABELS = {
    "person": "🧑", "bicycle": "🚲", "car": "🚗", "dog": "🐕", "cat": "🐈", "chair": "🪑", "potted plant": "🪴",
    "bottle": "🍾", "cup": "☕", "book": "📖", "clock": "🕒", "bird": "🐦",
}  # fmt: skip


def seen(thing: tuple, draw: random.Random) -> dict:
    """The thing as one detector sees it: each edge a little off."""
    label, x, y, width, height = thing
    off = [draw.uniform(-0.04, 0.04) for _ in range(4)]
    return {
        "label": label,
        "emoji": LABELS[label],
        "confidence": round(draw.uniform(0.3, 0.99), 3),
        "bbox": {
            "x": round(max(0, x + off[0] * width), 1),
            "y": round(max(0, y + off[1] * height), 1),
            "width": round(width * (1 + off[2]), 1),
            "height": round(height * (1 + off[3]), 1),
        },
    }


def image(draw: random.Random) -> dict:
    things = []
    for _ in range(BOXES + 2):
        width, height = draw.uniform(40, 400), draw.uniform(40, 300)
        x, y = draw.uniform(0, WIDTH - width), draw.uniform(0, HEIGHT - height)
        things.append((draw.choice(list(LABELS)), x, y, width, height))
    return {service: {"predictions": [seen(thing, draw) for thing in draw.sample(things, BOXES)]} for service in SERVICES}


def as_ensemble(answers: dict) -> tuple[list, list, list]:
    """Lists of models: corners as fractions of the image, confidences, numbers of labels."""
    number = {label: place for place, label in enumerate(LABELS)}
    models = [answer["predictions"] for answer in answers.values()]
    corners = [
        [
            [
                min(p["bbox"]["x"] / WIDTH, 1),
                min(p["bbox"]["y"] / HEIGHT, 1),
                min((p["bbox"]["x"] + p["bbox"]["width"]) / WIDTH, 1),
                min((p["bbox"]["y"] + p["bbox"]["height"]) / HEIGHT, 1),
            ]
            for p in model
        ]
        for model in models
    ]
    return corners, [[p["confidence"] for p in m] for m in models], [[number[p["label"]] for p in m] for m in models]


def main() -> None:
    verb, path = sys.argv[1], Path(sys.argv[2])
    if verb == "make":
        draw = random.Random(20261125)
        path.write_text(json.dumps([image(draw) for _ in range(IMAGES)]))
        return
    weighted_boxes_fusion = load_weighted_boxes_fusion()
    inputs = [as_ensemble(answers) for answers in json.loads(path.read_text())]
    begin = time.process_time()
    for boxes, scores, labels in inputs:
        weighted_boxes_fusion(boxes, scores, labels, iou_thr=0.5, skip_box_thr=0.0, conf_type="avg")
    print(time.process_time() - begin)


if __name__ == "__main__":
    main()
