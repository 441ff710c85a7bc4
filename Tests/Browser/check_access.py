"""Logging in, with one token or the other, and out again."""

from playwright.async_api import expect

from scene import PHOTOS, READ_TOKEN, TOKEN
from site_under_test import check


async def log_in(page, token):
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Log in").click()


@check
async def token_logs_in_and_out(site):
    for options in ({}, {"java_script_enabled": False}):
        visitor = await site.visitor(site.guarded, **options)
        for path, wanted in {"": "login", "workers": "login?next=workers"}.items():
            page = await visitor.page(path)
            assert visitor.path(page) == wanted, page.url
            await page.close()
        page = await visitor.page()
        visitor.expected.add(401)
        await log_in(page, "browser-tests-wrong-one")
        await expect(page.get_by_role("status")).to_contain_text("not the token")
        assert not await visitor.context.cookies(), "a wrong token leaves a cookie"
        await log_in(page, TOKEN)
        await page.wait_for_url(visitor.root)
        (cookie,) = await visitor.context.cookies()
        assert cookie["httpOnly"] and cookie["sameSite"] == "Strict", cookie
        assert TOKEN not in cookie["value"] and visitor.root.endswith(cookie["path"].rstrip("/") + "/"), cookie
        assert await page.get_by_role("heading", name="Farm", exact=True).is_visible()
        assert not await page.get_by_text("reading only").count()
        await page.get_by_role("button", name="Log out").click()
        await page.wait_for_url(visitor.root + "login")
        assert not await visitor.context.cookies(), "the cookie is still there"
        await page.goto(visitor.root)
        assert visitor.path(page) == "login", page.url
        # A link to a page leads there, also after a wrong token.
        await page.goto(visitor.root + "images?group=samples&order=oldest")
        await log_in(page, "browser-tests-wrong-one")
        await log_in(page, TOKEN)
        await page.wait_for_url(visitor.root + "images?group=samples&order=oldest")
        assert await page.get_by_role("heading", name="Images", exact=True).is_visible()
        visitor.settle()


@check
async def cookies_that_somebody_made_up_let_nobody_in(site):
    visitor = await site.visitor(site.guarded)
    page = await visitor.page()
    await log_in(page, READ_TOKEN)
    await page.wait_for_url(visitor.root)
    (cookie,) = await visitor.context.cookies()
    role, issued, signature = cookie["value"].split(".")
    assert role == "read"
    for value in (f"act.{issued}.{signature}", f"{role}.{int(issued) + 1}.{signature}", f"{role}.{issued}.", "act"):
        await visitor.context.add_cookies([{**cookie, "value": value}])
        await page.goto(visitor.root)
        assert visitor.path(page) == "login", f"{value} leads to {page.url}"
    visitor.settle()


@check
async def many_wrong_tokens_are_refused(site):
    if site.strict is None:
        return
    visitor = await site.visitor(site.strict)
    visitor.expected |= {401, 429}
    page = await visitor.page("login")
    for number in range(21):
        answer = await page.request.post(visitor.root + "login", form={"token": f"wrong-token-number-{number:04}"})
        assert answer.status == (401 if number < 20 else 429), f"{number}: {answer.status}"
    assert answer.headers["retry-after"] == "60"
    await log_in(page, TOKEN)
    await expect(page.get_by_role("status")).to_contain_text("Too many")


@check
async def large_uploads_come_through(site):
    """Of itself a proxy takes no more than 1 MB."""
    visitor = await site.visitor(site.dying)
    page = await visitor.page()
    photo = (PHOTOS / "coffee_exif_gps.jpg").read_bytes() + bytes(1_500_000)
    answer = await page.request.post(
        visitor.root + "api/v1/images",
        multipart={"file": {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": photo}, "services": "rtdetr"},
    )
    assert answer.status == 202, f"{answer.status}: {(await answer.text())[:300]}"
    visitor.settle()
