"""What holds of every page, whichever there are."""

from axe_playwright_python.base import AXE_SCRIPT

from crowd import crowd

from site_under_test import UNTOUCHED, check, paths

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 720}
# Nothing is swapped while it is looked at.
STILL = "window.SharedWorker = class { port = { postMessage() {} } }"
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


# Pages that no link leads to, with the status of each: what is shown where nothing is found, and where something is wrong.
OTHERS = {
    "login": 200,
    "images?label=nothing-has-it": 200,
    "dead/act?act=drop&reason=nothing-has-it": 200,
    "no-such-page": 404,
    "images/999999999": 404,
    "services/no-such-service": 404,
    "images?votes=many": 400,
    "dead/act?act=burn": 400,
    "dead/act?act=drop": 400,
}
ERRORS = {404, 400}

AXE = """async (rules) => {
  const options = { resultTypes: ['violations'], ...(rules ? { runOnly: { type: 'rule', values: rules } } : {}) };
  return (await axe.run(document, options)).violations;
}"""


async def serious(page, *rules):
    """What axe finds, by all of its rules or by these."""
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: "
        + "; ".join(node["html"][:200] for node in violation["nodes"][:3])
        for violation in await page.evaluate(AXE, list(rules) or None)
        if violation["impact"] in ("serious", "critical")
    ]


@check
async def pages_are_for_everybody(site):
    """By axe, in light and dark; on a phone nothing lies beside the screen; other people's texts are texts."""
    faults = []
    visitor = await site.visitor(color_scheme="light", has_touch=True)
    visitor.expected |= ERRORS
    await visitor.context.add_init_script(STILL)
    page = await visitor.page()
    for path in {**dict.fromkeys(await paths(site)), **OTHERS}:
        response = await page.goto(visitor.root + path)
        found = [] if response.status == OTHERS.get(path, 200) else [f"status {response.status}"]
        if await page.locator("h1").count() != 1 or not await page.title():
            found.append("it has no heading")
        # A proxy changes no byte of a page: what holds without it need not be looked for again.
        if site.strict:
            await page.evaluate(AXE_SCRIPT)
            found += await serious(page)
            await page.emulate_media(color_scheme="dark")
            found += [f"in the dark: {fault}" for fault in await serious(page, "color-contrast")]
            await page.emulate_media(color_scheme="light")
        found += [f"markup by somebody else: {element}" for element in await page.evaluate(MARKUP)]
        if await page.evaluate("window.hacked !== undefined"):
            found.append("a script of somebody else has run")
        await page.set_viewport_size(PHONE)
        found += [f"too wide for a phone: {element}" for element in await page.evaluate(WIDER)]
        await page.set_viewport_size(DESK)
        faults += [f"/{path}: {fault}" for fault in found]
    visitor.settle()
    assert not faults, "\n".join(faults)


@check
async def pages_of_an_empty_farm_say_that_it_is_empty(site):
    if site.strict is None:
        return
    _, port = site.start_web(environment={"FARM_DB": "empty.db"})
    visitor = await site.visitor(f"http://127.0.0.1:{port}/")
    page = await visitor.page()
    for path, text in (
        ("", "Nothing has been submitted yet"), ("workers", "No worker is alive"), ("images", "No image matches"),
        ("dead", "There are none"), ("quality", "No service has answered yet"), ("audit", "Nobody has done anything here"),
    ):
        await page.goto(visitor.root + path)
        assert text in await page.locator("main").inner_text(), path
        await page.evaluate(AXE_SCRIPT)
        assert not (faults := await serious(page)), f"/{path}: {faults}"
    visitor.settle()


async def weights(page, address):
    """The bytes of a page, its style and its scripts, by their addresses."""
    responses = []
    page.on("response", lambda response: responses.append(response))
    await page.goto(address, wait_until="load")
    return {
        response.url: len(await response.body())
        for response in responses
        if response.request.resource_type in ("document", "script", "stylesheet")
    }


@check
async def pages_are_light(site):
    everything = await paths(site)
    visitor = await site.visitor()
    for path in everything:
        page = await visitor.context.new_page()
        sizes = await weights(page, visitor.root + path)
        assert 0 < sum(sizes.values()) <= HEAVIEST, f"/{path}: {sizes}"
        await page.close()
    visitor.settle()


@check
async def pages_are_light_however_much_there_is(site):
    """PageWeightTests looks at the workers, and follows the links to what does not fit."""
    if site.strict is None:
        return
    image = site.crowded_image
    crowd(site.database, image)
    visitor = await site.visitor()
    for path in (f"images/{image}?disagree=1", f"images/{image}/tables/boxes", f"images/{image}/tables/fused", "quality"):
        page = await visitor.context.new_page()
        sizes = await weights(page, visitor.root + path)
        assert 0 < sum(sizes.values()) <= HEAVIEST, f"/{path}: {sizes}"
        await page.evaluate(AXE_SCRIPT)
        assert not (faults := await serious(page)), f"/{path}: {faults}"
        await page.set_viewport_size(PHONE)
        assert not (wide := await page.evaluate(WIDER)), f"/{path}: {wide}"
        await page.close()
    visitor.settle()


@check
async def pages_say_how_old_they_are(site):
    visitor = await site.visitor()
    page = await visitor.page()
    for path in await paths(site):
        # Letters are counted for the question, and the question asks again.
        if not path.startswith("dead/act"):
            await page.goto(visitor.root + path)
            age = page.locator("main p", has_text="As of").or_(page.locator("main p", has_text="Made"))
            assert await age.locator("time").count() >= 1, f"/{path}"
    visitor.settle()


@check
async def services_lead_to_what_a_filter_finds(site):
    """Only services that are asked about whole images are found by what has failed."""
    visitor = await site.visitor()
    page = await visitor.page()
    for service, links in ((UNTOUCHED, 1), ("face", 0), ("consensus", 0)):
        await page.goto(visitor.root + f"services/{service}")
        assert await page.get_by_role("link", name="Images on which it failed").count() == links, service
    visitor.settle()


@check
async def keyboards_reach_everything(site):
    # As with axe above.
    if not site.strict:
        return
    visitor = await site.visitor()
    visitor.expected |= ERRORS
    await visitor.context.add_init_script(STILL)
    page = await visitor.page()
    for path in {**dict.fromkeys(await paths(site)), **OTHERS}:
        await page.goto(visitor.root + path)
        stops = await page.evaluate(STOPS)
        for _ in range(stops):
            await page.keyboard.press("Tab")
        seen = await page.evaluate("window.focused")
        assert len(seen) == stops, f"/{path}: {len(seen)} of {stops} stops: {seen[-1:]}"
        for number, stop in enumerate(seen):
            assert stop["stop"] == f"{number}", f"/{path}: stop {number} is {stop}"
            assert stop["isOutlined"], f"/{path}: {stop['text']} does not show that it has the focus"
        assert "skip" in seen[0]["text"] and seen[0]["isVisible"], f"/{path}: the first stop is {seen[0]['text']}"
        await page.locator("a.skip").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**#content")
        # What is reached next lies in the content; where nothing does, the focus leaves the page.
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('header') === null"), f"/{path}: the menu again"
    visitor.settle()


# What can be reached, in the order of the page; radio buttons of one name are one stop. From then on it is written down what
# gets the focus, and whether one sees that.
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
  // A page may put the focus where somebody types.
  document.body.tabIndex = -1;
  document.body.focus();
  window.focused = [];
  addEventListener('focusin', ({ target }) => {
    const style = getComputedStyle(target);
    window.focused.push({
      stop: target.dataset.stop ?? 'another',
      text: target.outerHTML.slice(0, 200),
      isVisible: target.getBoundingClientRect().left >= 0 && target.checkVisibility(),
      isOutlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    });
  });
  return stops.length;
}"""
