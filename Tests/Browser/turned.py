"""One picture eight times, stored in each of the orientations that EXIF knows. Upright they are all the same."""

from PIL import Image, ImageDraw

# Odd, and larger than the page shows photos, so that whatever scales it has to round.
WIDTH, HEIGHT = 1803, 1257
GROUND, GREEN = (205, 200, 190), (0, 150, 60)
# In upright pixels; no turn or mirroring of the picture puts it into its own place.
BOX = {"x": 1071, "y": 144, "width": 493, "height": 287}

# How the upright picture is stored, so that the EXIF orientation (Exif 2.32, tag 0x0112) makes it upright again.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def name(orientation):
    return f"turned-{orientation}.jpg"


def write(folder):
    upright = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    draw = ImageDraw.Draw(upright)
    right, bottom = BOX["x"] + BOX["width"] - 1, BOX["y"] + BOX["height"] - 1
    draw.rectangle((BOX["x"], BOX["y"], right, bottom), fill=GREEN)
    # For people who look at it.
    draw.polygon(((90, 1100), (390, 1100), (240, 820)), fill=(60, 60, 160))
    for orientation, transpose in STORED.items():
        stored = upright if transpose is None else upright.transpose(transpose)
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored.save(folder / name(orientation), quality=95, subsampling=0, exif=exif)
