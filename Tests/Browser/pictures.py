#!/usr/bin/env python3
"""Takes the pictures of the pages that the documentation shows.

    pictures.py FARM [--out FOLDER] [--only TEXT]

FARM is the built program. The example services (examples/services) look at the sample photos; then some of them are paused
and limited, and a photo is taken away, so that the pages have something to say. Emoji need a font: fonts-noto-color-emoji of Debian.
"""

import argparse
import asyncio
import io
import json
import pathlib
import shutil

from PIL import Image
from playwright.async_api import async_playwright

from scene import HERE, PHOTOS, Scene, free_ports, until

ROOT = HERE.parent.parent
EXAMPLES = ROOT / "examples/services"
PYTHON = EXAMPLES / ".venv/bin/python3"
# Of a picture, in bytes.
HEAVIEST = 200_000
DESK = {"width": 1280, "height": 860}
PHONE = {"width": 360, "height": 740}


# Photos beneath the window's edge are not loaded before somebody scrolls to them.
LOADED = """() => [...document.images].every((image) =>
  image.complete || image.getBoundingClientRect().top > innerHeight)"""


class Showcase(Scene):
    def seed(self):
        photos = self.folder / "photos"
        photos.mkdir()
        for path in PHOTOS.iterdir():
            if path.suffix != ".md":
                shutil.copy(path, photos)
        self.start_services()
        self.command("import", "photos", "--group", "holiday")
        self.command("produce")
        self.command("up", "--until-idle", codes=(0, 1, 3))
        # What people do, and what happens to them.
        (photos / "fruits.jpg").rename(self.folder / "fruits.jpg")
        self.command("produce", "--services", "colors,nsfw2,inception_v3,metadata")
        self.command("up", "--until-idle", codes=(0, 1, 3))
        self.command("pause", "ocr", "--for", "2h", "--reason", "new model on k3")
        self.command("limit", "nsfw2", "5/min")
        self.command("produce", "--services", "ocr,nsfw2,rtdetr")
        self.command("produce", "--services", "ocr")
        (self.folder / "fruits.jpg").rename(photos / "fruits.jpg")
        self.start("up", [self.farm, "up"])
        quiet = "SELECT count(*) FROM farm_queue WHERE queue = 'queue_rtdetr'"
        until("rtdetr has answered", lambda: self.rows(quiet) == [(0,)])
        until("the workers are alive", lambda: self.rows("SELECT count(*) FROM farm_workers")[0][0] >= 11)

    def start_services(self):
        config = json.loads((EXAMPLES / "service_config.json").read_text(encoding="utf-8"))
        called = [service for service in config["services"].values() if service["port"]]
        for service, port in zip(called, free_ports(len(called))):
            service["port"] = port
        (self.folder / "service_config.json").write_text(json.dumps(config))
        ready = self.folder / "services-ready"
        self.start(
            "services",
            [str(PYTHON), str(EXAMPLES / "serve.py"), "--ports-from", "service_config.json", "--ready-file", str(ready)],
        )
        until("the services are ready", ready.exists)

    def image(self, name):
        return self.rows("SELECT image_id FROM images WHERE image_filename = ?", name)[0][0]


def pages(showcase):
    """The name of a picture, the page, how large and in which colours, and the keys that are pressed there."""
    sign, street = (f"images/{showcase.image(name)}?disagree=1" for name in ("sign_parking.jpg", "pedestrians_1.jpg"))
    return [
        ("farm", "", {**DESK, "height": 1000}, "light", ""),
        ("farm-phone", "", PHONE, "dark", ""),
        ("workers", "workers", DESK, "light", ""),
        ("images", "images", DESK, "light", ""),
        ("image", sign, {**DESK, "height": 1000}, "light", ""),
        ("image-dark", street, DESK, "dark", ""),
        ("service", "services/ocr", {**DESK, "height": 780}, "light", ""),
        ("dead", "dead", {**DESK, "height": 420}, "light", ""),
        ("quality", "quality", DESK, "light", ""),
        ("acts", "audit", {**DESK, "height": 420}, "light", ""),
    ]


async def take(browser, root, path, size, colours, keys):
    context = await browser.new_context(viewport=size, color_scheme=colours, device_scale_factor=2 if size == PHONE else 1)
    page = await context.new_page()
    await page.goto(root + path)
    while not await page.evaluate(LOADED):
        await page.wait_for_timeout(50)
    for key in keys:
        await page.keyboard.press(key)
    picture = Image.open(io.BytesIO(await page.screenshot()))
    await context.close()
    return picture.convert("RGB")


def write(picture, path):
    for quality in (86, 78, 70, 60):
        picture.save(path, quality=quality, method=6)
        if path.stat().st_size <= HEAVIEST:
            return
    raise SystemExit(f"{path} is too large: {path.stat().st_size} bytes")


async def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("farm")
    arguments.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/pictures")
    arguments.add_argument("--only", default="", help="pictures whose names hold this")
    given = arguments.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with Showcase(str(pathlib.Path(given.farm).resolve())) as showcase:
        _, port = showcase.web("web")
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium-headless-shell", args=["--no-sandbox"])
            for name, *page in pages(showcase):
                if given.only in name:
                    write(await take(browser, f"http://127.0.0.1:{port}/", *page), given.out / f"{name}.webp")
                    print(f"{name}.webp: {(given.out / f'{name}.webp').stat().st_size} bytes", flush=True)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
