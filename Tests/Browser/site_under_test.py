"""What a check is given: where the pages are, and visitors that write down what must not happen."""

import dataclasses
import urllib.parse

from tap import Tap

CHECKS = []


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


class Visitor:
    """A browser of its own: cookies, cache, shared workers. Whatever goes wrong in any of its tabs is in `faults`."""

    def __init__(self, context, root):
        self.context, self.root, self.faults = context, root, []
        # Statuses that a check provokes; a browser writes each into the console.
        self.expected = set()
        context.on("console", self.on_console)
        context.on("weberror", lambda error: self.faults.append(f"error in a script: {error.error}"))
        context.on("request", self.on_request)
        context.on("requestfailed", self.on_failure)
        context.on("response", self.on_response)
        context.on("dialog", lambda dialog: self.faults.append(f"a dialog: {dialog.message}"))

    def on_console(self, message):
        if message.type in ("error", "warning") and not (
            self.expected and "Failed to load resource" in message.text
        ):
            self.faults.append(f"console: {message.text} ({message.location})")

    def on_request(self, request):
        if not request.url.startswith((self.root, "data:image/")):
            self.faults.append(f"asks outside of {self.root}: {request.url}")

    def on_failure(self, request):
        # What the next page has no more use for.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"{request.url}: {request.failure}")

    def on_response(self, response):
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"{response.url}: {response.status}")

    async def page(self, path=""):
        page = await self.context.new_page()
        await page.goto(self.root + path)
        return page

    def path(self, page):
        """Of the page that is shown, from the root."""
        return page.url.removeprefix(self.root)

    def settle(self):
        """- Raises: AssertionError if anything went wrong so far."""
        assert not self.faults, "\n".join(self.faults)


async def paths(site):
    """Of one page of each kind that links lead to from the first one, as somebody who may do everything sees them."""
    visitor = await site.visitor(java_script_enabled=False)
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
    return list(found.values())


def kind_of(path):
    """Pages whose addresses differ only in numbers, in the service and in what is asked for are of one kind."""
    parts = urllib.parse.urlsplit(path).path.split("/")
    return "/".join(
        "N" if part.isdigit() or before == "services" else part for before, part in zip(["", *parts], parts)
    )
