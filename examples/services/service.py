"""One service: a model, asked for one photo at a time, in the contract's form."""

import os
import sys
import threading
import time
import traceback

import images
from catalogue import Model
from images import Refused

# Pictures are decoded and looked at by as many threads as there are cores: more would
# not be faster, and each picture of 100 megapixels takes up to a gigabyte meanwhile.
_at_work = threading.BoundedSemaphore(os.cpu_count() or 1)


class Service:
    def __init__(self, name: str, model: Model):
        self.name = name
        self.model = model
        self.answered = 0
        self._one_at_a_time = threading.Lock()

    def answer(self, data: bytes, file_name: str) -> tuple[int, dict]:
        """The HTTP status and the answer."""
        with self._one_at_a_time, _at_work:
            start = time.monotonic()
            try:
                picture = images.read(data, file_name)
                predictions = self.model.predict(picture)
            except Refused as refusal:
                return refusal.status, self.error(str(refusal))
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                return 500, self.error(f"the model failed: {error}")
            self.answered += 1
            seconds = time.monotonic() - start
        return 200, self._body("success", predictions, seconds)

    def error(self, message: str) -> dict:
        return self._body("error", [], 0.0) | {"error": {"message": message}}

    def health(self) -> dict:
        return {
            "status": "healthy",
            "service": self.name,
            "model_info": self.model.info,
            "answered": self.answered,
        }

    def _body(self, status: str, predictions: list[dict], seconds: float) -> dict:
        return {
            "service": self.name,
            "status": status,
            "predictions": predictions,
            "metadata": {
                "processing_time": round(seconds, 4),
                "model_info": self.model.info,
            },
        }
