"""Camera raw: what a sensor has measured, which becomes a picture when it is developed.

Told by the rule that farm itself has: by its bytes; by its name where these are those
of any TIFF file, or of no picture.
"""

import tiff

EXTENSIONS = frozenset(
    "3fr arw cr2 cr3 crw dcr dng erf fff gpr iiq k25 kdc mef mos mrw nef nrw orf pef"
    " raf rw2 rwl sr2 srf srw x3f".split()
)
MARKS = (
    (0, b"FUJIFILMCCD-RAW"),
    (0, b"IIRO"),
    (0, b"IIRS"),
    (0, b"MMOR"),
    (0, b"IIU\0"),
    (0, b"FOVb"),
    (0, b"\0MRM"),
    (6, b"HEAPCCDR"),
    (4, b"ftypcrx "),
)


def has_name(name: str) -> bool:
    _, dot, extension = name.rpartition(".")
    return bool(dot) and extension.lower() in EXTENSIONS


def has_bytes(data: bytes) -> bool:
    if any(data.startswith(mark, place) for place, mark in MARKS):
        return True
    if not tiff.has_mark(data):
        return False
    # Pixels may stand there, too.
    canon = data[4:8] == b"\x10\0\0\0" and data.startswith(b"CR\2", 8)
    phase_one = data.startswith(b"IIII", 8) and data.startswith(b"waR", 13)
    phase_one = phase_one or data.startswith(b"MMMMRaw", 8)
    return canon or phase_one or tiff.has_sensor_pixels(data)
