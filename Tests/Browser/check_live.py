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
    ids = await page.locator("#live :is(a, button, summary, input)[id]").evaluate_all("all => all.map(one => one.id)")
    for name in ids[:2]:
        await page.evaluate("name => document.getElementById(name).focus()", name)
        await refreshed(page)
        assert await page.evaluate("document.activeElement.id") == name, f"{name} has lost the focus"
    assert await page.evaluate("document.querySelectorAll('[aria-live]').length") == 1, "polls are read out"
    assert not await page.evaluate("!!document.querySelector('#live[aria-live], [aria-live] #live')")
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
