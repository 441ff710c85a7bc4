"""Loads networks into ONNX Runtime and LiteRT, one thread each.

A dozen services share the machine: many small jobs side by side are faster than one
job on all cores.
"""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

THREADS = 1

cv2.setNumThreads(THREADS)


def onnx_session(model: Path | bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = THREADS
    options.log_severity_level = 3
    source = str(model) if isinstance(model, Path) else model
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(source, options, providers=providers)


class LiteNetwork:
    """A .tflite network with one input; its outputs are told apart by their shape."""

    def __init__(self, model: Path):
        self.interpreter = Interpreter(str(model), num_threads=THREADS)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.outputs = self.interpreter.get_output_details()

    def run(self, values: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
        self.interpreter.set_tensor(self.input, values.astype(np.float32))
        self.interpreter.invoke()
        results = (self.interpreter.get_tensor(o["index"]) for o in self.outputs)
        return {result.shape: result for result in results}
