"""Reads the weights that PyTorch saved in its older form, without PyTorch.

Such a file is a row of pickles (a magic number, a version, facts about the machine,
the table of tensors, the keys of their storages), then each storage's raw numbers.
"""

import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np


class _TableUnpickler(pickle.Unpickler):
    """Makes of each tensor (storage, offset, shape, strides). Runs nothing else."""

    def find_class(self, module, name):
        if name == "_rebuild_tensor_v2":
            return lambda storage, offset, shape, strides, *rest: (
                storage,
                offset,
                shape,
                strides,
            )
        if name == "OrderedDict":
            return OrderedDict
        if name in ("FloatStorage", "LongStorage"):
            return np.dtype(np.float32 if name == "FloatStorage" else np.int64)
        raise pickle.UnpicklingError(f"unexpected {module}.{name}")

    def persistent_load(self, reference):
        _, number_type, key, *_ = reference
        return key, number_type


def read_weights(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        for _ in range(3):
            _TableUnpickler(file).load()
        table = _TableUnpickler(file).load()
        keys = _TableUnpickler(file).load()
        number_types = dict(storage for storage, *_ in table.values())
        storages = {}
        for key in keys:
            count = int.from_bytes(file.read(8), "little")
            number_type = number_types[key]
            raw = file.read(count * number_type.itemsize)
            storages[key] = np.frombuffer(raw, number_type)
    return {
        name: _tensor(storages[key], offset, shape, strides)
        for name, ((key, _), offset, shape, strides) in table.items()
    }


def _tensor(storage, offset, shape, strides) -> np.ndarray:
    steps = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps)
