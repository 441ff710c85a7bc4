"""Pages that come anew by themselves, by one stream of events for all tabs of a browser."""

import asyncio

from site_under_test import check

# What the content is swapped for has no mark.
MARK = "document.querySelector('#live > *').dataset.mark = 'old'"
UNMARKED = "!document.querySelector('#live > [data-mark]')"

# As if another tab lay above it, or no longer.
HIDE = """(isHidden) => {
  if (isHidden) {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' });
  } else {
    delete document.hidden;
    delete document.visibilityState;
  }
  document.dispatchEvent(new Event('visibilitychange'));
}"""


async def holds(page, condition):
    # wait_for_function evaluates texts in the page, which its policy forbids.
    while not await page.evaluate(condition):
        await asyncio.sleep(0.05)


async def refreshed(page):
    await page.evaluate(MARK)
    await holds(page, UNMARKED)


async def streams(tap, count):
    while tap.open != count:
        await asyncio.sleep(0.02)


@check
async def one_stream_serves_all_tabs(site):
    visitor = await site.visitor(site.tapped)
    opened = site.tap.opened
    tabs = [await visitor.page(path) for path in ("", "workers", "")]
    for tab in tabs:
        await refreshed(tab)
    assert site.tap.open == 1 and site.tap.opened == opened + 1, "more than one stream"
    for tab in tabs[:2]:
        await tab.evaluate(HIDE, True)
    await refreshed(tabs[2])
    assert site.tap.open == 1
    await tabs[2].evaluate(HIDE, True)
    await streams(site.tap, 0)
    # A tab that is looked at again is soon up to date.
    await tabs[0].evaluate(MARK)
    await tabs[0].evaluate(HIDE, False)
    await holds(tabs[0], UNMARKED)
    assert site.tap.open == 1 and site.tap.opened == opened + 2
    await tabs[0].close()
    await streams(site.tap, 0)
    visitor.settle()


@check
async def browsers_without_shared_workers_are_served_too(site):
    visitor = await site.visitor()
    await visitor.context.add_init_script("delete window.SharedWorker")
    page = await visitor.page()
    await refreshed(page)
    visitor.settle()


@check
async def refreshes_leave_focus_and_typing_alone(site):
    visitor = await site.visitor()
    page = await visitor.page()
    # The second of them tells that a refresh has come while the first had the focus.
    link = page.get_by_role("link", name="Workers")
    await link.focus()
    await refreshed(page)
    assert await link.evaluate("link => document.activeElement === link"), "the menu has lost the focus"
    for name in ("Pause rtdetr", "rtdetr"):
        control = page.locator("#live").get_by_role("button" if " " in name else "link", name=name, exact=True)
        await control.focus()
        await refreshed(page)
        await refreshed(page)
        # In one step: between two the content may come anew.
        focused = await page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")
        assert focused.strip() == name, f"{name} has lost the focus to {focused}"
    # Under a pointer that moves over a button nothing moves; one that rests there holds nothing up.
    await page.evaluate("window.moves = setInterval(() => document.body.dispatchEvent(new Event('pointermove')), 50)")
    while not await page.evaluate("!!document.querySelector('#live button:hover')"):
        await page.get_by_role("button", name="Pause rtdetr", exact=True).hover(force=True)
    await page.evaluate(MARK)
    other = await visitor.page("workers")
    for _ in range(2):
        await refreshed(other)
    assert await page.evaluate("!!document.querySelector('#live > [data-mark]')"), "the page has moved under the pointer"
    await page.evaluate("clearInterval(window.moves)")
    await holds(page, UNMARKED)
    # What somebody has marked, to copy it, stays marked.
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('#live table'))")
    await page.evaluate("document.querySelector('#live > *').dataset.mark = 'old'")
    for _ in range(2):
        await refreshed(other)
    assert await page.evaluate("document.querySelector('#live > [data-mark]') && !getSelection().isCollapsed")
    await page.evaluate("getSelection().removeAllRanges()")
    await holds(page, UNMARKED)
    assert await page.evaluate("document.querySelectorAll('[aria-live]').length") == 1, "polls are read out"
    assert not await page.evaluate("!!document.querySelector('#live[aria-live], [aria-live] #live')")
    visitor.settle()


@check
async def what_was_held_up_needs_no_other_event(site):
    visitor = await site.visitor()
    # The one event is this check's: on a slow farm the next one is minutes away.
    await visitor.context.add_init_script(
        """
        delete window.SharedWorker;
        window.EventSource = class {
          addEventListener(name, listener) { if (name === 'farm') window.tell = listener; }
          close() {}
        };
        """
    )
    page = await visitor.page()
    await page.evaluate("window.moves = setInterval(() => document.body.dispatchEvent(new Event('pointermove')), 50)")
    while not await page.evaluate("!!document.querySelector('#live button:hover')"):
        await page.get_by_role("button", name="Pause rtdetr", exact=True).hover(force=True)
    await page.evaluate(MARK + "; window.tell()")
    await page.wait_for_timeout(200)
    assert await page.evaluate("!!document.querySelector('#live > [data-mark]')"), "the page has moved under the pointer"
    await page.evaluate("clearInterval(window.moves)")
    await holds(page, UNMARKED)
    visitor.settle()


@check
async def times_are_utc_and_local_on_hover(site):
    visitor = await site.visitor(timezone_id="America/New_York")
    page = await visitor.page()
    assert (await page.locator("time").first.inner_text()).endswith("UTC")
    await holds(page, "document.querySelector('time').title !== ''")
    shown = await page.evaluate(
        """() => {
          const time = document.querySelector('time');
          return [time.title, new Date(time.dateTime).toLocaleString(), time.dateTime];
        }"""
    )
    assert shown[1] in shown[0], shown
    visitor.settle()


@check
async def pages_say_that_they_are_old_while_the_server_is_away(site):
    if site.strict is None:
        return
    for script in ("", "delete window.SharedWorker"):
        process, port = site.start_web()
        visitor = await site.visitor(f"http://127.0.0.1:{port}/")
        await visitor.context.add_init_script(script)
        page = await visitor.page()
        await refreshed(page)
        # What a browser writes of a server that is away is meant here.
        visitor.may_fail = True
        old = page.get_by_text("what is shown here is old")
        assert not await old.is_visible()
        process.kill()
        await old.wait_for()
        process, _ = site.start_web(port)
        await old.wait_for(state="hidden")
        await refreshed(page)
        process.kill()
        visitor.settle()


@check
async def the_first_page_says_what_does_not_move(site):
    """Jobs wait for a service that is paused, and for one that nobody works on."""
    site.submit(site.service)
    visitor = await site.visitor()
    page = await visitor.page()
    still = page.get_by_role("region", name="move")
    await still.get_by_role("link", name=site.service, exact=True).wait_for()
    text = await still.inner_text()
    assert "no worker" in text or "paused by" in text, text
    await still.get_by_role("link", name=site.service, exact=True).click()
    assert visitor.path(page) == f"services/{site.service}"
    visitor.settle()
