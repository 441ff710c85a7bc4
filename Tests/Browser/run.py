#!/usr/bin/env python3
"""Looks at the pages of `farm web` in Debian's Chromium, once as they are and once below a path of nginx.

    run.py FARM [--only TEXT]

FARM is the built program. A line for each check that fails, with what it saw; the exit code is 1 if one does.
"""

import argparse
import asyncio
import sys
import time
import traceback

from playwright.async_api import async_playwright

import check_access
import check_live
import check_pages
import check_scriptless
from scene import READ_TOKEN, TOKEN, Scene
from site_under_test import CHECKS, Site
from tap import Tap

# Pages are shown by processes of their own, which share two cores here.
AT_ONCE = 4
# What hangs ends; nothing is decided by it.
PATIENCE = 900

assert all((check_access, check_live, check_pages, check_scriptless)), "they have registered their checks"


async def sites(scene, taps):
    """One as it is, one behind the proxy; both show the same processes."""
    tokens = {"WEB_TOKEN": TOKEN, "WEB_READ_TOKEN": READ_TOKEN}
    opened, guarded, strict = scene.web("open"), scene.web("guarded", tokens), scene.web("strict", tokens)
    for tap in taps:
        await tap.start(opened)
    port = scene.proxy({"/x/farm/": opened, "/guarded/farm/": guarded, "/tapped/farm/": taps[1].port})
    bare, proxied = "http://127.0.0.1:{}/", f"http://127.0.0.1:{port}/{{}}/farm/"
    return [
        Site("bare", bare.format(opened), bare.format(guarded), bare.format(taps[0].port), taps[0], bare.format(strict)),
        Site("proxied", proxied.format("x"), proxied.format("guarded"), proxied.format("tapped"), taps[1], None),
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
    arguments.add_argument("--only", default="", help="checks whose names hold this")
    given = arguments.parse_args()
    taps = [Tap(), Tap()]
    with Scene(given.farm) as scene:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                # As root Chromium has no sandbox of its own; it shows only what is served here.
                executable_path="/usr/bin/chromium", args=["--no-sandbox"]
            )
            turn = asyncio.Semaphore(AT_ONCE)
            both = await sites(scene, taps)
            results = await asyncio.gather(
                *(run(check, site, browser, turn) for check in CHECKS for site in both if given.only in check.__name__)
            )
            await browser.close()
        for tap in taps:
            await tap.stop()
    faults = [(name, fault) for name, fault in results if fault]
    for name, fault in faults:
        print(f"\n{name}:\n{fault}", file=sys.stderr)
    if not results:
        sys.exit("no such check")
    print(f"{len(results) - len(faults)} of {len(results)} passed")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    asyncio.run(main())
