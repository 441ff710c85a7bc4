"""From the bytes that were sent to the picture that the models see."""

import io
from dataclasses import dataclass

import numpy as np
import pi_heif
from PIL import Image

import camera_raw
import tiff

MAX_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 100_000_000
CAMERA_RAW = "the file is camera raw, no picture"
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF", "PPM")

pi_heif.register_heif_opener(thumbnails=False)
Image.init()  # else only some of the formats are known
Image.MAX_IMAGE_PIXELS = None  # our own limit is asked for below, before decoding

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Refused(Exception):
    """A request that cannot be answered, and the HTTP status that says so."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Picture:
    name: str
    data: bytes
    format: str
    mode: str
    has_exif: bool
    pixels: np.ndarray  # height × width × RGB, upright

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        return self.pixels.shape[1], self.pixels.shape[0]


def check_length(length: int) -> None:
    if length > MAX_BYTES:
        limit = MAX_BYTES // 2**20
        raise Refused(413, f"the file is over the {limit} MiB that are read")


def read(data: bytes, name: str) -> Picture:
    check_length(len(data))
    if not data:
        raise Refused(400, "the file is empty")
    named_raw = camera_raw.has_name(name)
    if camera_raw.has_bytes(data) or named_raw and tiff.has_mark(data):
        raise Refused(400, CAMERA_RAW)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.UnidentifiedImageError:
        what = CAMERA_RAW if named_raw else "the file is no picture of a known format"
        raise Refused(400, what) from None
    except Exception as error:  # damaged headers make decoders raise nearly anything
        raise Refused(400, f"the picture cannot be read: {error}") from None
    check_dimensions(image)
    try:
        pixels = upright_pixels(image)
        has_exif = bool(image.getexif())
    except Exception as error:  # as above, for damaged data
        raise Refused(400, f"the picture is damaged: {error}") from None
    return Picture(name, data, image.format, image.mode, has_exif, pixels)


def check_dimensions(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        megapixels, limit = width * height / 1e6, MAX_PIXELS // 1_000_000
        what = f"{width} × {height} pixels ({megapixels:.0f} megapixels)"
        raise Refused(413, f"the picture has {what}; {limit} megapixels are read")


def upright_pixels(image: Image.Image) -> np.ndarray:
    # EXIF decides: without it Pillow would turn by what XMP says.
    for packet in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(packet, None)
    image.load()
    orientation = 1
    # TIFF and HEIC are turned when they are loaded.
    if image.format not in ("TIFF", "HEIF"):
        orientation = tiff.orientation(exif_data(image))
    image = as_rgb(image)
    if orientation in UPRIGHT:
        image = image.transpose(UPRIGHT[orientation])
    return np.asarray(image)


def exif_data(image: Image.Image) -> bytes:
    """Also as ImageMagick once wrote them into PNG: in hexadecimal."""
    text = image.info.get("Raw profile type exif")
    if "exif" in image.info or text is None:
        return image.info.get("exif") or b""
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return b""


def as_rgb(image: Image.Image) -> Image.Image:
    """Transparent pictures on white, 16-bit and float ones with their range spread."""
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        flat = Image.new("RGB", image.size, "white")
        flat.paste(layered, mask=layered.getchannel("A"))
        return flat
    if image.mode.startswith("I") or image.mode == "F":
        values = np.nan_to_num(np.asarray(image, np.float32), posinf=0, neginf=0)
        values -= values.min()
        values *= 255 / max(float(values.max()), 1e-6)
        image = Image.fromarray(values.astype(np.uint8))
    return image.convert("RGB")
