"""What a check is given: where the pages are, and visitors that write down what must not happen."""

import asyncio
import collections.abc
import dataclasses
import json
import sqlite3
import urllib.parse

from playwright.async_api import Error

from tap import Tap

CHECKS = []
# The service that no check changes anything of.
UNTOUCHED = "yolov8"


def check(function):
    """Registers a check: a coroutine function of a Site."""
    CHECKS.append(function)
    return function


@dataclasses.dataclass
class Site:
    name: str
    # Addresses of roots: needs no token; needs one; needs none and counts event streams.
    open: str
    guarded: str
    tapped: str
    tap: Tap
    # Needs a token, and may run out of tries; nil behind the proxy.
    strict: str | None
    database: str
    # What the checks of this site change, and those of the other one do not.
    service: str
    other_service: str
    crop_service: str
    # Each lacks a service's answer, has an error of another, and an empty answer of a third.
    images: tuple
    other_image: int
    # Of both sites: an image of which nothing changes, and those whose photos lie in each of the eight orientations.
    untouched_image: int
    turned_images: list
    # An image that one check gives many boxes.
    crowded_image: int
    # The root of another farm, whose dead letters are this site's alone, and its file.
    dying: str
    dying_database: str
    letters: asyncio.Lock
    # Starts another `farm web` of the same farm, and returns its process and port.
    start_web: collections.abc.Callable
    # The walk through all pages, by the address it began at.
    walks: dict = dataclasses.field(default_factory=dict)
    browser: object = None
    visitors: list = dataclasses.field(default_factory=list)

    def visited_by(self, browser):
        return dataclasses.replace(self, browser=browser, visitors=[])

    async def visitor(self, root=None, **options):
        context = await self.browser.new_context(**options)
        context.set_default_timeout(90_000)
        visitor = Visitor(context, root or self.open)
        self.visitors.append(visitor)
        return visitor

    async def close(self):
        for visitor in self.visitors:
            await visitor.context.close()

    # What is in the store.

    def rows(self, sql, *values):
        connection = sqlite3.connect(self.database, timeout=60)
        try:
            with connection:
                return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def control(self, service):
        return self.rows("SELECT paused, round(rate_limit, 6), concurrency FROM farm_control WHERE service = ?", service)

    def untouched_state(self):
        """What a request that is refused must not change, and no check does."""
        acts = "SELECT count(*) FROM farm_audit WHERE filter = 'all' OR filter LIKE ? OR filter LIKE ?"
        counts = self.rows(acts, f"image {self.untouched_image}:%", f"{UNTOUCHED}%")
        return self.control(UNTOUCHED), counts, self.asked(self.untouched_image, "clip")

    def bury(self, reason, count):
        """Dead letters of this site's service."""
        job = {"image_id": self.untouched_image, "service_name": self.service, "note": reason}
        values = (
            (f"queue_{self.service}", json.dumps({**job, "job_id": f"{number:08x}-0000-4000-9000-{abs(hash(reason)) % 16**12:012x}"}), reason)
            for number in range(count)
        )
        connection = sqlite3.connect(self.dying_database, timeout=60)
        with connection:
            connection.executemany(
                "INSERT INTO farm_dead (queue, body, reason, message, tries, worker_id, first_failure, dead_since)"
                " VALUES (?, CAST(? AS BLOB), ?, 'of a browser test', 3, 'a', '2026-11-30 12:00:00.000', '2026-11-30 12:00:00.000')",
                values,
            )
        connection.close()

    def submit(self, service):
        """A job, on which nobody works."""
        body = json.dumps({"image_id": self.untouched_image, "service_name": service, "note": "submitted"})
        self.rows("INSERT INTO farm_queue (queue, body, due_at) VALUES (?, CAST(? AS BLOB), 0)", f"queue_{service}", body)

    def dead(self, reason):
        return self.dying_rows("SELECT count(*) FROM farm_dead WHERE reason = ?", reason)[0][0]

    def forget(self, reason):
        self.dying_rows("DELETE FROM farm_dead WHERE reason = ?", reason)

    def requeued(self, reason):
        jobs = "SELECT count(*) FROM farm_queue WHERE json_extract(CAST(body AS TEXT), '$.note') = ?"
        return self.dying_rows(jobs, reason)[0][0]

    def dying_rows(self, sql, *values):
        return dataclasses.replace(self, database=self.dying_database).rows(sql, *values)

    def asked(self, image, service):
        """The ids of the jobs that wait."""
        sql = (
            "SELECT DISTINCT json_extract(CAST(body AS TEXT), '$.job_id') FROM farm_queue WHERE queue = ? AND json_extract(CAST(body AS TEXT), '$.image_id') = ?"
            " AND json_extract(CAST(body AS TEXT), '$.note') IS NULL"
        )
        return self.rows(sql, f"queue_{service}", image)

    def results(self, image, service):
        return self.rows("SELECT result_id FROM results WHERE image_id = ? AND service = ?", image, service)


class Visitor:
    """A browser of its own: cookies, cache, shared workers. Whatever goes wrong in any of its tabs is in `faults`."""

    def __init__(self, context, root):
        self.context, self.root, self.faults = context, root, []
        # Statuses that a check provokes; a browser writes each into the console.
        self.expected = set()
        # Another site that a check opens.
        self.elsewhere = None
        # Whether the server is away, as a check means it to be.
        self.may_fail = False
        context.on("console", self.on_console)
        context.on("weberror", lambda error: self.faults.append(f"error in a script: {error.error}"))
        context.on("request", self.on_request)
        context.on("requestfailed", self.on_failure)
        context.on("response", self.on_response)
        context.on("dialog", lambda dialog: self.faults.append(f"a dialog: {dialog.message}"))

    def on_console(self, message):
        if message.type in ("error", "warning") and not (
            (self.expected or self.may_fail) and "Failed to load resource" in message.text
        ):
            self.faults.append(f"console: {message.text} ({message.location})")

    def on_request(self, request):
        allowed = (self.root, "data:image/", *([self.elsewhere] if self.elsewhere else []))
        if not request.url.startswith(allowed):
            self.faults.append(f"asks outside of {self.root}: {request.url}")

    def on_failure(self, request):
        # What the next page has no more use for.
        if request.failure != "net::ERR_ABORTED" and not self.may_fail:
            self.faults.append(f"{request.url}: {request.failure}")

    def on_response(self, response):
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"{response.url}: {response.status}")

    async def page(self, path=""):
        page = await self.context.new_page()
        page.goto, page.reload = uninterrupted(page.goto), uninterrupted(page.reload)
        await page.goto(self.root + path)
        return page

    def path(self, page):
        """Of the page that is shown, from the root."""
        return page.url.removeprefix(self.root)

    def settle(self):
        """- Raises: AssertionError if anything went wrong so far."""
        assert not self.faults, "\n".join(self.faults)


def uninterrupted(navigation):
    """Without scripts a page comes anew by itself, and on a busy machine it does so while another one is on its way."""

    async def navigate(*arguments, **options):
        while True:
            try:
                return await navigation(*arguments, **options)
            except Error as error:
                if "interrupted by another navigation" not in error.message and "ERR_ABORTED" not in error.message:
                    raise

    return navigate


async def paths(site):
    """Of one page of each kind that links lead to from the first one, as somebody who may do everything sees them.

    They are looked for once for each site.
    """
    if site.open not in site.walks:
        site.walks[site.open] = asyncio.create_task(walk(site))
    return list(await site.walks[site.open])


async def walk(site):
    context = await site.browser.new_context(java_script_enabled=False)
    visitor = Visitor(context, site.open)
    page = await visitor.page()
    found, waiting = {}, [""]
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(path)
        if kind in found:
            continue
        found[kind] = path
        response = await page.goto(visitor.root + path)
        if not response.headers.get("content-type", "").startswith("text/html"):
            del found[kind]
            continue
        links = await page.locator("a[href]").evaluate_all("links => links.map(link => link.href)")
        for link in links:
            address = urllib.parse.urldefrag(link).url
            assert address.startswith(visitor.root), f"{page.url} links to {link}"
            waiting.append(address.removeprefix(visitor.root))
    visitor.settle()
    await context.close()
    return list(found.values())


def kind_of(path):
    """Pages whose addresses differ only in numbers, in the service and in what is asked for are of one kind."""
    parts = urllib.parse.urlsplit(path).path.split("/")
    return "/".join(
        "N" if part.isdigit() or before == "services" else part for before, part in zip(["", *parts], parts)
    )
