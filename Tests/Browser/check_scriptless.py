"""All of it works without JavaScript."""

from site_under_test import check, paths


@check
async def pages_work_without_scripts(site):
    everything = await paths(site)
    visitor = await site.visitor(java_script_enabled=False)
    page = await visitor.page()
    for path in everything:
        response = await page.goto(visitor.root + path)
        assert response.ok and await page.locator("h1").count() == 1, f"/{path}"
        text = await page.locator("main").inner_text()
        assert text.strip(), f"/{path} is empty"
    visitor.settle()


@check
async def pages_come_anew_without_scripts(site):
    visitor = await site.visitor(java_script_enabled=False)
    page = await visitor.page()
    first = await page.locator("time").first.get_attribute("datetime")
    # By the meta element, every ten seconds. A machine that is slow to look at the farm looks less often.
    seen = first
    while seen <= first:
        async with page.expect_event("load", timeout=90_000):
            pass
        seen = await page.locator("time").first.get_attribute("datetime")
    visitor.settle()
