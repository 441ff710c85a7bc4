"""What can be done on the pages: what it does, what the page says of it, and that it is in the list of acts.

Each check does it with JavaScript and without. Both sites have services and images of their own, so neither sees the other's.
"""

import asyncio
import functools
import re

from playwright.async_api import TimeoutError as TookTooLong, expect

from check_access import log_in
from scene import READ_TOKEN, TOKEN
from site_under_test import UNTOUCHED, check

WITH_AND_WITHOUT_SCRIPTS = ({}, {"java_script_enabled": False})
# Letters of an act that is stopped; four times as many where it was over before anybody could.
MANY = 5_000


async def told(page, text):
    await expect(page.get_by_role("status")).to_contain_text(text)


async def press(page, name, within=None):
    await (within or page).get_by_role("button", name=name, exact=True).click()


async def newest_acts(visitor):
    """Acts and what they were about, the newest first, as their page shows them."""
    page = await visitor.page("audit")
    cells = await page.locator("tbody tr").evaluate_all("rows => rows.map((row) => [...row.cells].map((cell) => cell.innerText))")
    await page.close()
    return [tuple(cell[2:5]) for cell in cells]


# Control.


@check
async def services_are_paused_limited_and_resumed(site):
    for options in WITH_AND_WITHOUT_SCRIPTS:
        visitor = await site.visitor(**options)
        page = await visitor.page(f"services/{site.service}")
        await page.get_by_label("Reason").fill("a <b>new</b> model")
        await page.get_by_label("For how many minutes").fill("90")
        await press(page, "Pause")
        await told(page, f"{site.service} is paused")
        ((minutes, reason, who),) = site.rows(
            "SELECT (julianday(until) - julianday(set_at)) * 1440, reason, set_by FROM farm_control"
            " WHERE service = ? AND paused", site.service
        )
        assert round(minutes) == 90 and reason == "a <b>new</b> model" and who == "web", (minutes, reason, who)
        text = await page.locator("main").inner_text()
        assert re.search(r"paused by web until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: a <b>new</b> model", text), text

        await page.get_by_label("Jobs of the whole farm").fill("5/min")
        await page.get_by_label("Calls in flight").fill("2")
        await press(page, "Limit")
        await told(page, f"The limits of {site.service} are set")
        assert site.control(site.service) == [(1, round(5 / 60, 6), 2)], site.control(site.service)
        assert await page.get_by_label("Jobs of the whole farm").input_value() == "5/min"

        # The row on the farm's page says so, and ends it.
        await page.get_by_role("link", name="Farm", exact=True).first.click()
        row = page.locator("tr", has=page.get_by_role("rowheader", name=site.service, exact=True))
        await expect(row).to_contain_text("paused by web until")
        await press(page, f"Resume {site.service}", row)
        await told(page, f"{site.service} is resumed")
        # A script takes what was done out of the address, so that it is not said again.
        assert visitor.path(page).startswith("?done=") if options else visitor.path(page) == "", page.url
        assert site.control(site.service) == [(0, round(5 / 60, 6), 2)], site.control(site.service)
        await press(page, f"Pause {site.service}", row)
        await told(page, f"{site.service} is paused")
        await expect(row).to_contain_text("paused by web")
        assert site.control(site.service) == [(1, round(5 / 60, 6), 2)], site.control(site.service)

        await page.goto(visitor.root + f"services/{site.service}")
        await press(page, "Resume")
        await told(page, f"{site.service} is resumed")
        for label in ("Jobs of the whole farm", "Calls in flight"):
            await page.get_by_label(label).fill("")
        await press(page, "Limit")
        await told(page, "limits")
        assert site.control(site.service) == [(0, None, None)], site.control(site.service)
        acts = [(act, of) for act, of, _ in await newest_acts(visitor) if of.startswith(site.service)]
        assert [act for act, _ in acts[:6]] == ["limit", "resume", "pause", "resume", "limit", "pause"], acts
        assert "a <b>new</b> model" in acts[5][1] and "limited to 5/min" in acts[4][1], acts
        visitor.settle()


@check
async def what_cannot_be_set_is_refused_and_changes_nothing(site):
    visitor = await site.visitor()
    visitor.expected.add(422)
    page = await visitor.page(f"services/{site.crop_service}")
    for label, value, button, why in (
        ("Jobs of the whole farm", "0/s", "Limit", "would let nothing pass"),
        ("Jobs of the whole farm", "-1/s", "Limit", "-1/s is no rate"),
        ("Jobs of the whole farm", "1e9/s", "Limit", "1e9/s is no rate"),
        ("Jobs of the whole farm", "<b>x", "Limit", "<b>x is no rate"),
        ("For how many minutes", "-5", "Pause", "minutes of a pause"),
        ("Calls in flight", "100000", "Limit", "1 to 1000"),
        ("For how many minutes", "0", "Pause", "minutes of a pause"),
    ):
        before = site.control(site.crop_service)
        # A browser asks its user to mend some of these; others send them all the same.
        await page.locator("form").evaluate_all("forms => forms.forEach((form) => (form.noValidate = true))")
        await page.get_by_label(label).fill(value)
        await press(page, button)
        await expect(page.locator(".fault")).to_contain_text(why)
        assert site.control(site.crop_service) == before, f"{label} {value} has changed something"
    # From there one goes on.
    await press(page, "Limit")
    await told(page, f"The limits of {site.crop_service} are set")
    visitor.settle()


@check
async def refreshes_do_not_swallow_clicks(site):
    """A page that comes anew between the button's going down and up would swallow the click."""
    visitor = await site.visitor()
    page = await visitor.page()
    # Unseen, another tab of the same browser gets every event as well: it tells when one has come.
    other = await visitor.page("workers")
    await page.bring_to_front()
    name = f"Pause {site.other_service}"
    button = page.get_by_role("button", name=name, exact=True)
    while True:
        # Without waiting until it stands still: on a busy machine the page may have come anew before that is known.
        await button.hover(force=True)
        await page.mouse.down()
        # Whoever takes long to press may find something else there.
        if await page.evaluate("name => document.querySelector('button:active')?.getAttribute('aria-label') === name", name):
            break
        await page.mouse.move(0, 0)
        await page.mouse.up()
    for _ in range(2):
        await other.evaluate("document.querySelector('#live > *').dataset.mark = 'old'")
        await expect(other.locator("#live > [data-mark]")).to_have_count(0)
    await page.mouse.up()
    await told(page, f"{site.other_service} is paused")
    await press(page, f"Resume {site.other_service}")
    await told(page, f"{site.other_service} is resumed")
    visitor.settle()


# What the region of results holds when the page is there, and how often it changes from then on.
WATCH = """addEventListener('DOMContentLoaded', () => {
  const notice = document.getElementById('notice');
  window.told = [notice.innerText];
  new MutationObserver(() => window.told.push(notice.innerText)).observe(notice, { childList: true, subtree: true });
})"""


@check
async def results_are_read_out_and_end_when_they_may_be_false(site):
    # No other check has anything to do with these.
    role = "consensus" if site.strict else "bbox_merger"
    visitor = await site.visitor()
    await visitor.context.add_init_script(WATCH)
    page = await visitor.page()
    await press(page, f"Pause {role}")
    await told(page, f"{role} is paused")
    said = await page.evaluate("window.told")
    # A screen reader reads what comes into the region, and not what it holds from the beginning.
    assert said[0].strip() == "" and f"{role} is paused" in said[-1], said
    assert visitor.path(page) == "", page.url
    # Somebody else resumes it.
    site.rows("UPDATE farm_control SET paused = 0, revision = revision + 1 WHERE service = ?", role)
    await expect(page.get_by_role("status")).to_have_text("")
    row = page.locator("tr", has=page.get_by_role("rowheader", name=role, exact=True))
    await expect(row).not_to_contain_text("paused by")
    visitor.settle()


@check
async def only_acts_and_services_that_there_are_become_words_of_a_page(site):
    visitor = await site.visitor(java_script_enabled=False)
    page = await visitor.page()
    for path in (
        "?done=paused&what=Call+0123+and+tell+your+token", f"services/{site.service}?done=paused&what=another",
        f"images/{site.images[0]}?done=rerun&what=All+of+your", "dead?done=burnt", f"?done=paused+by+me&what={site.service}",
    ):
        await page.goto(visitor.root + path)
        assert (await page.get_by_role("status").inner_text()).strip() == "", path
    await page.goto(visitor.root + f"?done=paused&what={site.service}")
    await told(page, f"{site.service} is paused")
    visitor.settle()


# Dead letters.


def by_turns(function):
    """While an act runs letters are not listed, so these checks of one site do not go on at the same time."""

    @functools.wraps(function)
    async def check_in_turn(site):
        async with site.letters:
            await function(site)

    return check_in_turn


def row_of(page, reason):
    return page.locator("tbody tr").filter(has=page.locator("[data-name=Reason]", has_text=reason))


async def until_listed(page, reason):
    """The list is up to ten seconds old."""
    while await row_of(page, reason).count() == 0:
        await page.wait_for_timeout(250)
        await page.reload()


async def done_with(page, reason, end):
    """Waits for the end of the act on these letters, and returns what the page says of it."""
    cell = page.locator("tbody tr").filter(has_text=reason).locator("[data-name=Progress]")
    while not re.match(end, await cell.inner_text()):
        await page.wait_for_timeout(100)
        await page.reload()
    return await cell.inner_text()


@check
@by_turns
async def dead_letters_are_counted_before_they_are_acted_on(site):
    reasons = {
        f"{verb} {number}": (verb, options)
        for number, options in enumerate(WITH_AND_WITHOUT_SCRIPTS) for verb in ("Requeue", "Drop")
    }
    for reason in reasons:
        site.bury(reason, 3)
    for reason, (verb, options) in reasons.items():
        visitor = await site.visitor(site.dying, **options)
        page = await visitor.page("dead")
        await until_listed(page, reason)
        row = row_of(page, reason)
        assert "3" in await row.locator("[data-name=Letters]").inner_text()
        await row.get_by_role("link", name=verb).click()
        assert await page.get_by_role("heading").inner_text() == f"{verb} 3 dead letters?"
        assert site.dead(reason) == 3, "it has begun before anybody said yes"
        await page.get_by_role("link", name="Back").click()
        assert visitor.path(page) == "dead" and site.dead(reason) == 3
        await until_listed(page, reason)
        await row.get_by_role("link", name=verb).click()
        await press(page, f"{verb} them")
        await told(page, "It has begun")
        assert await done_with(page, reason, "done") == "done: 3"
        assert site.dead(reason) == 0
        assert site.requeued(reason) == (3 if verb == "Requeue" else 0)
        acts = [(act, count) for act, of, count in await newest_acts(visitor) if reason in of]
        verb = verb.lower()
        assert acts == [(f"dead {verb}", "3"), (f"dead {verb} begins", "0")], acts
        visitor.settle()


@check
@by_turns
async def acts_on_many_letters_show_how_far_they_are_and_stop(site):
    for number, options in enumerate(WITH_AND_WITHOUT_SCRIPTS):
        visitor = await site.visitor(site.dying, **options)
        page, stopped, many = await visitor.page(), None, MANY
        while not stopped:
            reason = f"many {number} {many}"
            site.bury(reason, many)
            await page.goto(visitor.root + f"dead/act?act=drop&service={site.service}&reason={reason}")
            await expect(page.get_by_role("heading")).to_contain_text("Drop")
            await press(page, "Drop them")
            await told(page, "It has begun")
            # In one look, since the page comes anew by itself.
            running = await page.locator("tbody tr:has(button)").evaluate_all(
                "rows => rows.map((row) => row.querySelector('progress') !== null)"
            )
            assert all(running), "an act that goes on shows no progress"
            try:
                await page.get_by_role("button", name="Stop").first.click(timeout=20_000 if running else 1)
            except TookTooLong:
                # It was over before it could be stopped: the next one gets more to do.
                pass
            text = await done_with(page, reason, "stopped|done")
            if text.startswith("stopped"):
                done, total = (int(re.sub(r"\D", "", part)) for part in text.removeprefix("stopped after").split("of"))
                # It may have done the last letter in the moment in which it was to stop.
                stopped = text if done < total else None
            many *= 4
        assert site.dead(reason) == total - done, (stopped, site.dead(reason))
        acts = [(act, int(re.sub(r"\D", "", count))) for act, of, count in await newest_acts(visitor) if reason in of]
        assert acts[0] == ("dead drop", done), (acts, stopped)
        site.forget(reason)
        visitor.settle()


@check
@by_turns
async def many_may_look_at_dead_letters_at_once(site):
    """One round goes through them at a time; whoever comes meanwhile waits, and is not turned away."""
    visitor = await site.visitor(site.dying)
    site.bury("looked at", 200)
    page = await visitor.page()
    answers = await asyncio.gather(
        *(page.request.get(visitor.root + path) for path in ("dead", "dead/act?act=drop&reason=looked+at") for _ in range(4))
    )
    assert {answer.status for answer in answers} == {200}, [answer.status for answer in answers]
    site.forget("looked at")
    visitor.settle()


# Services are asked again.


@check
async def services_are_asked_again(site):
    expected = {
        "missing ones": {"colors"}, "failed ones": {"clip"}, "those that found nothing": {"inception_v3"},
        "all": {"blip", "clip", "colors", "inception_v3", "rtdetr", "yolov8"},
    }
    for image, options in zip(site.images, WITH_AND_WITHOUT_SCRIPTS):
        visitor = await site.visitor(**options)
        page = await visitor.page()
        for name, services in expected.items():
            await page.goto(visitor.root + f"images/{image}?group=samples&order=oldest")
            await press(page, name)
            # What was looked for stays in the address.
            await told(page, "One service is" if len(services) == 1 else f"{len(services)} services are")
            assert f"/images/{image}?group=samples&order=oldest" in page.url, page.url
            (act, of, count), *_ = [row for row in await newest_acts(visitor) if row[1].startswith(f"image {image}:")]
            assert act == "rerun" and set(of.split(": ")[1].split(", ")) == services and count == str(len(services)), of
        # One of them, which somebody works on: its answer is soon among the results.
        before = len(site.results(image, "rtdetr"))
        await page.goto(visitor.root + f"images/{image}")
        await page.get_by_label("or").select_option("rtdetr")
        await press(page, "Ask it")
        await told(page, "One service is asked again")
        while len(site.results(image, "rtdetr")) == before:
            await page.wait_for_timeout(100)
        visitor.settle()


@check
async def a_form_that_is_sent_twice_asks_once(site):
    visitor = await site.visitor()
    image = site.other_image
    page = await visitor.page(f"images/{image}")
    form = page.locator("form[action$=rerun]").filter(has_text="Ask it")
    key = await form.locator("[name=key]").input_value()
    before = site.asked(image, "blip")
    for _ in range(2):
        answer = await page.request.post(
            visitor.root + f"images/{image}/rerun", form={"key": key, "service": "blip"},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        assert answer.ok, answer.status
    # The same job, of which a worker settles the first and leaves the others alone (docs/reliability.md).
    assert not before and len(site.asked(image, "blip")) == 1, site.asked(image, "blip")
    visitor.settle()


# Who may not.


@check
async def who_may_only_read_changes_nothing(site):
    visitor = await site.visitor(site.guarded)
    page = await visitor.page()
    await log_in(page, READ_TOKEN)
    await page.wait_for_url(visitor.root)
    for path in ("", "workers", "images", f"images/{site.images[0]}", f"services/{site.service}", "dead", "audit", "quality"):
        await page.goto(visitor.root + path)
        assert await page.get_by_text("reading only").is_visible(), path
        acts = await page.locator("main form[method=post], main a[href*='act?']").evaluate_all("all => all.map(one => one.outerHTML)")
        assert not acts, f"/{path}: {acts}"
    visitor.expected.add(403)
    answer = await page.goto(visitor.root + "dead/act?act=drop&all=1")
    assert answer.status == 403 and not await page.locator("main form").count(), "who may not drop is asked whether to"
    before = site.untouched_state()
    for path, form in forged(site).items():
        answer = await page.request.post(visitor.root + path, form=form, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status == 403, f"{path}: {answer.status}"
    assert site.untouched_state() == before
    await page.goto(visitor.root)
    await press(page, "Log out")
    await page.wait_for_url(visitor.root + "login")
    assert not await visitor.context.cookies(), "the cookie is still there"
    await page.goto(visitor.root)
    assert visitor.path(page).startswith("login"), page.url
    visitor.settle()


def answering(content):
    async def answer(route):
        await route.fulfill(content_type="text/html", body=content)

    return answer


def forged(site):
    return {
        f"services/{UNTOUCHED}/pause": {"reason": "forged"},
        f"services/{UNTOUCHED}/resume": {},
        f"services/{UNTOUCHED}/limit": {"rate": "1/h"},
        "dead/act": {"act": "drop", "all": "1"},
        f"images/{site.untouched_image}/rerun": {"what": "all", "key": "forged"},
        "acts/1/stop": {},
        f"api/v1/services/{UNTOUCHED}/pause": {},
    }


@check
async def forms_of_other_sites_are_refused(site):
    """Also of somebody who is logged in, and may act."""
    for root in (site.open, site.guarded):
        visitor = await site.visitor(root)
        visitor.elsewhere = "http://elsewhere.test/"
        visitor.expected |= {401, 403}
        if root == site.guarded:
            page = await visitor.page()
            await log_in(page, TOKEN)
            await page.wait_for_url(visitor.root)
            await page.close()
        # One is enough where the gate before all of them has been seen to refuse each.
        for path, form in list(forged(site).items())[: None if root == site.open else 1]:
            inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in form.items())
            content = f'<!doctype html><form method="post" action="{visitor.root}{path}">{inputs}<button>Win</button></form>'
            await visitor.context.route(f"{visitor.elsewhere}**", answering(content))
            page = await visitor.context.new_page()
            await page.goto(visitor.elsewhere)
            before = site.untouched_state()
            async with page.expect_navigation() as navigation:
                await press(page, "Win")
            response = await navigation.value
            assert response.status in (401, 403), f"{path}: {response.status}"
            assert site.untouched_state() == before, path
            await page.close()
            await visitor.context.unroute(f"{visitor.elsewhere}**")
        visitor.settle()
