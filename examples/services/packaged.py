"""Finds files inside installed PyPI packages, without importing those."""

import importlib.util
from pathlib import Path


def path(package: str, *parts: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    return Path(spec.submodule_search_locations[0], *parts)
