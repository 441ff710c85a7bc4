#!/usr/bin/env python3
"""Looks at the pages of `farm web` in Debian's Chromium, once as they are and once below a path of nginx.

    run.py FARM [--only TEXT]

FARM is the built program. A line for each check that fails, with what it saw; the exit code is 1 if one does.
"""

import argparse
import asyncio
import os
import sys
import time
import traceback

from playwright.async_api import async_playwright, expect

import check_access
import check_acts
import check_boxes
import check_live
import check_pages
import check_scriptless
from hostile import GROUP
from scene import READ_TOKEN, TOKEN, Scene
from site_under_test import CHECKS, Site
from tap import Tap

# Pages are shown by processes of their own, which share two cores here.
AT_ONCE = 4
# What hangs ends; nothing is decided by it.
PATIENCE = 900

assert all((check_access, check_acts, check_boxes, check_live, check_pages, check_scriptless)), "they have registered their checks"


async def sites(scene, taps):
    """One as it is, one behind the proxy; both show the same processes."""
    tokens = {"WEB_TOKEN": TOKEN, "WEB_READ_TOKEN": READ_TOKEN}
    opened, guarded, strict = (
        scene.web(name, given)[1] for name, given in (("open", {}), ("guarded", tokens), ("strict", tokens))
    )
    dying = []
    for name in ("dying", "dying-too"):
        scene.command("init", environment={"FARM_DB": f"{name}.db"})
        dying.append(scene.web(name, {"FARM_DB": f"{name}.db", "WEB_UPLOAD_DIR": f"{name}-uploads"})[1])
    for tap in taps:
        await tap.start(opened)
    port = scene.proxy(
        {
            "/x/farm/": opened, "/guarded/farm/": guarded, "/tapped/farm/": taps[1].port, "/dying/farm/": dying[1],
        }
    )
    bare, proxied = "http://127.0.0.1:{}/", f"http://127.0.0.1:{port}/{{}}/farm/"
    samples, turned = scene.images("samples"), scene.images("turned")
    shared = {
        "database": scene.database, "untouched_image": samples[4], "turned_images": turned,
        "crowded_image": scene.images(GROUP)[0], "walks": {},
        "start_web": lambda port=0, environment={}: scene.web(f"web-{len(scene.running)}", environment, port),
    }
    return [
        Site(
            "bare", bare.format(opened), bare.format(guarded), bare.format(taps[0].port), taps[0], bare.format(strict),
            dying=bare.format(dying[0]), dying_database=scene.folder / "dying.db", letters=asyncio.Lock(),
            service="clip", other_service="blip", crop_service="pose", images=samples[:2], other_image=turned[0], **shared,
        ),
        Site(
            "proxied", proxied.format("x"), proxied.format("guarded"), proxied.format("tapped"), taps[1], None,
            dying=proxied.format("dying"), dying_database=scene.folder / "dying-too.db", letters=asyncio.Lock(),
            service="inception_v3", other_service="colors", crop_service="face", images=samples[2:4], other_image=turned[1],
            **shared,
        ),
    ]


async def run(check, site, browser, turn):
    async with turn:
        start = time.monotonic()
        site = site.visited_by(browser)
        try:
            await asyncio.wait_for(check(site), PATIENCE)
            fault = None
        except Exception:
            fault = traceback.format_exc()
        finally:
            await site.close()
        name = f"{check.__name__} ({site.name})"
        print(f"{'FAILED' if fault else 'passed'} {name} in {time.monotonic() - start:.1f} s", flush=True)
        return name, fault


async def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("farm")
    arguments.add_argument("--only", default=[""], nargs="+", help="checks whose names hold one of these")
    given = arguments.parse_args()
    # Chromium draws by the processor alone. Whatever else goes on here comes first: none of this is about time.
    os.nice(10)
    # Nothing is decided by how long something takes.
    expect.set_options(timeout=90_000)
    taps = [Tap(), Tap()]
    begin = time.monotonic()
    with Scene(given.farm) as scene:
        print(f"the farm is ready after {time.monotonic() - begin:.1f} s", flush=True)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                # Chromium without the window that nobody sees: half the processor time. As root it has no sandbox of its own;
                # it shows only what is served here.
                executable_path="/usr/bin/chromium-headless-shell", args=["--no-sandbox"]
            )
            turn = asyncio.Semaphore(AT_ONCE)
            both = await sites(scene, taps)
            results = await asyncio.gather(
                *(run(check, site, browser, turn) for check in CHECKS for site in both
                  if any(text in check.__name__ for text in given.only))
            )
            await browser.close()
        for tap in taps:
            await tap.stop()
    faults = [(name, fault) for name, fault in results if fault]
    for name, fault in faults:
        print(f"\n{name}:\n{fault}", file=sys.stderr)
    if not results:
        sys.exit("no such check")
    print(f"{len(results) - len(faults)} of {len(results)} passed in {time.monotonic() - begin:.1f} s")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    asyncio.run(main())
