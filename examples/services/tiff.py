"""What a TIFF structure says: EXIF data are one, and so is most camera raw.

The rule by which farm turns pictures upright, too: the value of tag 0x0112 in the first
directory, as SHORT or LONG; anything but 1 to 8 counts as upright.
"""

import struct

ORIENTATION, PHOTOMETRIC, SUB_DIRECTORIES, DNG_VERSION = 0x0112, 262, 330, 50_706
ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
FORMATS = {3: "H", 4: "I", 13: "I"}  # SHORT, LONG, IFD
SENSOR_PIXELS = (32_803, 34_892)  # colour filter array, LinearRaw
MOST_DIRECTORIES = 16


def orientation(exif: bytes) -> int:
    """1 to 8, of EXIF data with or without the mark in front of them."""
    exif = exif.removeprefix(b"Exif\0\0")
    try:
        order, first = header(exif)
        values = directory(exif, order, first)[0].get(ORIENTATION, [])
    except (struct.error, ValueError):  # damaged
        return 1
    return values[0] if values and 1 <= values[0] <= 8 else 1


def has_mark(data: bytes) -> bool:
    return data[:4] in (*ORDERS, b"II+\0", b"MM\0+")  # BigTIFF, too


def has_sensor_pixels(data: bytes) -> bool:
    """Whether a TIFF file holds a sensor's pixels, behind whatever thumbnail."""
    try:
        order, first = header(data)
        waiting, seen = [first], set()
        while waiting and len(seen) < MOST_DIRECTORIES:
            place = waiting.pop()
            if place == 0 or place in seen:
                continue
            seen.add(place)
            tags, following = directory(data, order, place)
            sensor = tags.get(PHOTOMETRIC, [0])[:1]
            if DNG_VERSION in tags or (sensor and sensor[0] in SENSOR_PIXELS):
                return True
            waiting += [following, *tags.get(SUB_DIRECTORIES, [])]
    except (struct.error, ValueError):
        pass
    return False


def header(data: bytes) -> tuple[str, int]:
    """The byte order as struct has it, and where the first directory is."""
    order = ORDERS.get(data[:4])
    if order is None:
        raise ValueError("no TIFF structure")
    return order, struct.unpack_from(order + "I", data, 4)[0]


def directory(
    data: bytes, order: str, place: int
) -> tuple[dict[int, list[int]], int]:
    """Its values by tag, none where they are no integers, and where the next one is."""
    (count,) = struct.unpack_from(order + "H", data, place)
    tags: dict[int, list[int]] = {}
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", data, entry)
        code, number = FORMATS.get(kind), min(values, MOST_DIRECTORIES)
        if code is None:
            tags.setdefault(tag, [])
            continue
        start = entry + 8
        if values * struct.calcsize(code) > 4:
            (start,) = struct.unpack_from(order + "I", data, start)
        tags.setdefault(
            tag, list(struct.unpack_from(f"{order}{number}{code}", data, start))
        )
    end = place + 2 + 12 * count
    if end + 4 > len(data):
        return tags, 0
    return tags, struct.unpack_from(order + "I", data, end)[0]
