"""EXIF and technical data, read by ExifTool (Debian libimage-exiftool-perl)."""

import hashlib
import json
import re
import shutil
import subprocess

from images import Picture

TIMEOUT = 30
# System: what the file system says of the file, which here is a pipe.
COMMAND = ["exiftool", "-json", "-coordFormat", "%.6f", "--System:all", "-"]

# A tag belongs to the first category whose pattern its name, in lower case, has.
CATEGORIES = {
    "gps": r"^gps",
    "datetime": r"date|time(?!r)",
    "camera": r"^(make|model|lens|exposure|fnumber|aperture|iso|shutter|focal"
    r"|flash|metering|whitebalance)",
    "software": r"software|creator|producer|history",
    "image": r"image|width|height|orientation|resolution|color|bits|mime|filetype"
    r"|compression",
    "technical": r"",
}


class ExifToolMissing(Exception):
    def __init__(self):
        super().__init__(
            "exiftool, which the service metadata runs, is not installed: "
            "apt-get install libimage-exiftool-perl"
        )


class ExifTool:
    def __init__(self):
        self.info = {"name": "ExifTool", "framework": "Debian libimage-exiftool-perl"}

    def load(self) -> None:
        if not shutil.which(COMMAND[0]):
            raise ExifToolMissing
        self.info["version"] = run([COMMAND[0], "-ver"], b"").strip()

    def predict(self, picture: Picture) -> list[dict]:
        (tags,) = json.loads(run(COMMAND, picture.data))
        del tags["SourceFile"]
        categorized = {category: {} for category in CATEGORIES}
        for tag, value in tags.items():
            categorized[category_of(tag)][tag] = value
        width, height = picture.size
        return [
            {
                "file_info": {
                    "filename": picture.name,
                    "file_size": len(picture.data),
                    "format": picture.format,
                    "mode": picture.mode,
                    "width": width,
                    "height": height,
                },
                "file_hash": {
                    "md5": hashlib.md5(picture.data).hexdigest(),
                    "sha256": hashlib.sha256(picture.data).hexdigest(),
                },
                "summary": {
                    "total_metadata_tags": len(tags),
                    "has_exif_data": picture.has_exif,
                    "has_gps_data": bool(categorized["gps"]),
                    "has_camera_info": bool(categorized["camera"]),
                },
                "categorized": categorized,
            }
        ]


def run(command: list[str], data: bytes) -> str:
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, timeout=TIMEOUT)
    return done.stdout.decode("utf-8", "replace")


def category_of(tag: str) -> str:
    lower = tag.lower()
    return next(name for name, p in CATEGORIES.items() if re.search(p, lower))
