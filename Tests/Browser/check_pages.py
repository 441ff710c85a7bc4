"""What holds of every page, whichever there are."""

from axe_playwright_python.async_playwright import Axe

from site_under_test import check, paths

PHONE = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "has_touch": True}
# Without the photos that a page shows.
HEAVIEST = 100_000

# Nothing of other people's texts has become markup.
MARKUP = """() => [...document.querySelectorAll('*')].flatMap((element) => {
  const found = [...element.attributes].filter((attribute) =>
    attribute.name.startsWith('on') || attribute.name === 'srcdoc' || /^\\s*javascript:/i.test(attribute.value));
  const isForeign = element.matches('iframe, object, embed, base, body style, main script, img[src="x"], form[action^="//"]');
  return found.length || isForeign ? [element.outerHTML.slice(0, 300)] : [];
})"""

WIDER = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll('body *')]
    .filter((element) => !element.parentElement.closest('svg'))
    .filter((element) => element.scrollWidth > width || element.getBoundingClientRect().right > width + 0.5)
    .map((element) => element.outerHTML.slice(0, 200)).slice(0, 5);
}"""


def serious(results):
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: "
        + "; ".join(node["html"][:200] for node in violation["nodes"][:3])
        for violation in results.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


@check
async def pages_are_for_everybody(site):
    """By axe, in light and dark; on a phone nothing lies beside the screen; other people's texts are texts."""
    faults = []
    everything = await paths(site) + ["login"]
    light, dark, phone = [
        await site.visitor(**options) for options in ({"color_scheme": "light"}, {"color_scheme": "dark"}, PHONE)
    ]
    for path in everything:
        found = []
        page = await light.page(path)
        found += serious(await Axe().run(page))
        found += [f"markup by somebody else: {element}" for element in await page.evaluate(MARKUP)]
        if await page.evaluate("window.hacked !== undefined"):
            found.append("a script of somebody else has run")
        await page.close()
        page = await dark.page(path)
        found += [f"in the dark: {fault}" for fault in serious(await Axe().run(page, options=CONTRAST))]
        await page.close()
        page = await phone.page(path)
        found += [f"too wide for a phone: {element}" for element in await page.evaluate(WIDER)]
        await page.close()
        faults += [f"/{path}: {fault}" for fault in found]
    for visitor in (light, dark, phone):
        visitor.settle()
    assert not faults, "\n".join(faults)


@check
async def pages_are_light(site):
    everything = await paths(site)
    visitor = await site.visitor()
    for path in everything:
        page = await visitor.context.new_page()
        responses = []
        page.on("response", lambda response: responses.append(response))
        await page.goto(visitor.root + path, wait_until="load")
        sizes = {
            response.url: len(await response.body())
            for response in responses
            if response.request.resource_type in ("document", "script", "stylesheet")
        }
        assert 0 < sum(sizes.values()) <= HEAVIEST, f"/{path}: {sizes}"
        await page.close()
    visitor.settle()


@check
async def keyboards_reach_everything(site):
    everything = await paths(site)
    visitor = await site.visitor()
    # Nothing is swapped while it is walked through.
    await visitor.context.add_init_script("window.SharedWorker = class { port = { postMessage() {} } }")
    for path in everything + ["login"]:
        page = await visitor.page(path)
        # A page may put the focus where somebody types.
        await page.evaluate("document.body.tabIndex = -1, document.body.focus()")
        for number, stop in enumerate(await page.evaluate(STOPS)):
            await page.keyboard.press("Tab")
            seen = await page.evaluate(FOCUS)
            assert seen["stop"] == stop, f"/{path}: stop {number} is {seen['stop']}, not {stop}"
            assert seen["isOutlined"], f"/{path}: {seen['text']} does not show that it has the focus"
            if number == 0:
                assert "skip" in seen["text"] and seen["isVisible"], f"/{path}: the first stop is {seen['text']}"
        await page.locator("a.skip").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**#content")
        # What is reached next lies in the content; where nothing does, the focus leaves the page.
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('header') === null"), f"/{path}: the menu again"
        await page.close()
    visitor.settle()


# What can be reached, in the order of the page; radio buttons of one name are one stop.
STOPS = """() => {
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')];
  const names = new Set();
  const stops = all.filter((element) => {
    if (element.disabled || element.type === 'hidden' || element.tabIndex < 0 || !element.checkVisibility()) return false;
    if (element.type !== 'radio') return true;
    const isFirst = !names.has(element.name);
    names.add(element.name);
    return isFirst;
  }).slice(0, 60);
  stops.forEach((element, index) => (element.dataset.stop = index));
  return stops.map((_, index) => `${index}`);
}"""

FOCUS = """() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  return {
    stop: element.dataset.stop ?? element.outerHTML.slice(0, 200),
    text: element.outerHTML.slice(0, 200),
    isVisible: element.getBoundingClientRect().left >= 0 && element.checkVisibility(),
    isOutlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
  };
}"""
