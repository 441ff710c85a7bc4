"""The colours of a photo: a palette of eight by median cut. No learned weights."""

from PIL import Image

from images import Picture

COLORS = 8
SIDE = 256
NEUTRAL_SPREAD = 24


class Palette:
    def __init__(self):
        self.info = {
            "name": "median-cut palette",
            "framework": "Pillow",
            "colors": COLORS,
        }

    def load(self) -> None:
        """Nothing to load."""

    def predict(self, picture: Picture) -> list[dict]:
        image = Image.fromarray(picture.pixels)
        image.thumbnail((SIDE, SIDE))
        reduced = image.quantize(COLORS, method=Image.Quantize.MEDIANCUT)
        palette, total = reduced.getpalette(), image.width * image.height
        counted = sorted(reduced.getcolors(), reverse=True)
        colors = [
            color(palette[3 * i : 3 * i + 3], count / total) for count, i in counted
        ]
        shares: dict[str, float] = {}
        for c in colors:
            temperature = c["temperature"]
            shares[temperature] = shares.get(temperature, 0) + c["share"]
        first = colors[0]
        return [
            {
                "type": "color_analysis",
                "primary": {"hex": first["hex"], "temperature": first["temperature"]},
                "palette": {
                    "temperature": max(shares, key=shares.get),
                    "colors": colors,
                },
            }
        ]


def color(rgb: list[int], share: float) -> dict:
    return {
        "hex": "#{:02x}{:02x}{:02x}".format(*rgb),
        "rgb": rgb,
        "share": round(share, 4),
        "temperature": temperature(*rgb),
    }


def temperature(red: int, green: int, blue: int) -> str:
    if max(red, green, blue) - min(red, green, blue) < NEUTRAL_SPREAD:
        return "neutral"
    return "warm" if red >= blue else "cool"
