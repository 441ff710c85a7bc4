"""The services that are served here: farm's names and ports, and the models behind."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from images import Picture
from models.blazeface import BlazeFace
from models.blazepose import BlazePose
from models.efficientnet import EfficientNetLite0
from models.exif import ExifTool
from models.open_nsfw import OpenNsfw
from models.palette import Palette
from models.pp_ocr import PpOcr
from models.ssdlite_person import SsdlitePerson
from models.yolov3_tiny import Yolov3Tiny

BASE_PORT = 7770


class Model(Protocol):
    info: dict[str, Any]

    def load(self) -> None: ...

    def predict(self, picture: Picture) -> list[dict]: ...


@dataclass(frozen=True)
class Entry:
    port: int
    model: Callable[[], Model]


CATALOGUE = {
    "colors": Entry(7770, Palette),
    "detectron2": Entry(7771, lambda: Yolov3Tiny(608)),
    "face": Entry(7772, BlazeFace),
    "yolov8": Entry(7773, lambda: Yolov3Tiny(416)),
    "nsfw2": Entry(7774, OpenNsfw),
    "ocr": Entry(7775, PpOcr),
    "inception_v3": Entry(7779, EfficientNetLite0),
    "rtdetr": Entry(7780, SsdlitePerson),
    "metadata": Entry(7781, ExifTool),
    "pose": Entry(7786, BlazePose),
}


def ports(base: int = BASE_PORT) -> dict[str, int]:
    """Every service's port, all shifted alike from those of the catalogue."""
    return {name: e.port - BASE_PORT + base for name, e in CATALOGUE.items()}


def configured_ports(path: str) -> dict[str, int]:
    """The ports of all services that a service_config.json gives an address."""
    with open(path, encoding="utf-8") as file:
        services = json.load(file)["services"]
    return {name: s["port"] for name, s in services.items() if s.get("port")}
