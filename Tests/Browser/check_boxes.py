"""The page of one image: its keys, its slider, and boxes that lie where they should, by the pixels of what is shown."""

import io

import numpy
from PIL import Image

from site_under_test import check
from turned import BOX, GREEN, HEIGHT, WIDTH

# In CSS pixels, of which one is one pixel of the screen here: half of it may be lost where the photo is scaled, half where a
# line is drawn, and half where a JPEG is blurred.
TOLERANCE = 1.5
STROKES = {"layer-fused": 3.5, "layer-0": 2.5}


async def pixels(locator):
    return numpy.asarray(Image.open(io.BytesIO(await locator.screenshot())).convert("RGB")).astype(int)


def edges(mask):
    """Left, top, right and bottom of what is set: the last two are those of the first pixel beside it."""
    assert mask.any(), "nothing of it is seen"
    columns, rows = numpy.flatnonzero(mask.any(axis=0)), numpy.flatnonzero(mask.any(axis=1))
    return numpy.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=float)


def green(picture):
    """The pixels that are rather the rectangle's than the ground's."""
    return (picture[:, :, 0] < 105) & (abs(picture - numpy.array(GREEN)).sum(axis=2) < 240) & (picture[:, :, 1] > 110)


async def switch(page, layer, isOn):
    await page.locator(f"#{layer}").set_checked(isOn)
    # The pointer over a box would fill it.
    await page.mouse.move(0, 0)


@check
async def boxes_lie_on_what_they_show_in_all_orientations(site):
    visitor = await site.visitor(viewport={"width": 720, "height": 800})
    page = await visitor.page()
    assert len(site.turned_images) == 8
    for orientation, image in enumerate(site.turned_images, 1):
        # A proxy turns no photo: one of them shows that photos come through it.
        if site.strict is None and orientation != 6:
            continue
        await page.goto(visitor.root + f"images/{image}?group=turned")
        svg = page.locator(".viewer figure > svg")
        await switch(page, "layer-fused", False)
        photo = await pixels(svg)
        shown = edges(green(photo))
        scale = (shown[2] - shown[0]) / BOX["width"]
        assert abs((shown[3] - shown[1]) / BOX["height"] - scale) < 0.02, f"{orientation}: the photo is distorted"
        # All layers are drawn in one way, so one of a detector stands for them.
        for layer, stroke in list(STROKES.items())[: 2 if orientation == 6 else 1]:
            await switch(page, layer, True)
            drawn = edges(abs(await pixels(svg) - photo).sum(axis=2) > 60)
            # The middle of a line lies on the edge.
            middle = drawn + numpy.array([1, 1, -1, -1]) * stroke / 2
            away = abs(middle - shown)
            assert away.max() <= TOLERANCE, f"orientation {orientation}, {layer}: {middle} around {shown}, {away} away"
            await switch(page, layer, False)
        crop = await pixels(page.locator("svg.crop").first)
        assert green(crop).mean() > 0.9, f"orientation {orientation}: the crop shows something else"
    visitor.settle()


@check
async def thumbnails_are_upright(site):
    visitor = await site.visitor()
    page = await visitor.page("images?group=turned&order=oldest")
    tiles = page.locator("ul.grid img")
    assert await tiles.count() == 8
    for orientation in range(1, 9):
        tile = tiles.nth(orientation - 1)
        await tile.scroll_into_view_if_needed()
        while not await tile.evaluate("image => image.complete && image.naturalWidth > 0"):
            await page.wait_for_timeout(20)
        width, height = await tile.evaluate("image => [image.naturalWidth, image.naturalHeight]")
        assert (width > height) and max(width, height) <= 320, f"orientation {orientation}: {width} × {height}"
        picture = await pixels(tile)
        scale = min(picture.shape[1] / width, picture.shape[0] / height)
        left, top = (picture.shape[1] - width * scale) / 2, (picture.shape[0] - height * scale) / 2
        across, down = width * scale / WIDTH, height * scale / HEIGHT
        expected = numpy.array([
            left + BOX["x"] * across, top + BOX["y"] * down,
            left + (BOX["x"] + BOX["width"]) * across, top + (BOX["y"] + BOX["height"]) * down,
        ])
        away = abs(edges(green(picture)) - expected)
        assert away.max() <= TOLERANCE, f"orientation {orientation}: {away} away"
    visitor.settle()


async def shown_layers(page):
    return await page.locator(".layer").evaluate_all(
        "all => all.filter((one) => getComputedStyle(one).display !== 'none').map((one) => one.classList[1]).sort()"
    )


@check
async def keys_switch_layers_and_turn_pages(site):
    visitor = await site.visitor()
    page = await visitor.page("images?group=samples&order=oldest")
    names = await page.locator("ul.grid .name").all_inner_texts()
    await page.locator("ul.grid a").first.click()
    await page.wait_for_url("**/images/*")
    assert await shown_layers(page) == ["layer-fused"]
    for key, expected in (
        ("1", ["layer-0", "layer-fused"]),
        ("2", ["layer-0", "layer-1", "layer-fused"]),
        ("0", ["layer-0", "layer-1"]),
        (" ", []),
        (" ", ["layer-0", "layer-1"]),
        ("1", ["layer-1"]),
        ("9", ["layer-1"]),
        ("0", ["layer-1", "layer-fused"]),
    ):
        await page.keyboard.press(key)
        assert await shown_layers(page) == expected, f"{key}: {await shown_layers(page)}"
    # Through the same images, and no others.
    for name in names[1:]:
        await page.keyboard.press("ArrowRight")
        await page.get_by_role("heading", level=1, name=name).wait_for()
        assert "group=samples" in page.url and "order=oldest" in page.url
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowLeft")
    await page.get_by_role("heading", level=1, name=names[-2]).wait_for()
    visitor.settle()


@check
async def keys_leave_alone_who_works_a_control(site):
    visitor = await site.visitor()
    page = await visitor.page(f"images/{site.other_image}")
    # Somebody who came there by the keyboard means this switch, and not all of them.
    await page.locator("#layer-fused").focus()
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.id") == "layer-0"
    await page.keyboard.press(" ")
    assert await shown_layers(page) == ["layer-0", "layer-fused"]
    # Digits mean nothing to it.
    await page.keyboard.press("0")
    assert await shown_layers(page) == ["layer-0"]
    # Somebody who has clicked one means all of them.
    await page.locator("label[for=layer-1]").click()
    await page.keyboard.press(" ")
    assert await shown_layers(page) == []
    await page.keyboard.press(" ")
    await page.locator("#confidence").focus()
    address = page.url
    await page.keyboard.press("ArrowRight")
    assert await page.locator("#confidence").input_value() == "0.01" and page.url == address
    await page.keyboard.press("1")
    assert await shown_layers(page) == ["layer-1"]
    summary = page.locator("summary").first
    await summary.focus()
    await page.keyboard.press(" ")
    assert await summary.evaluate("one => one.parentElement.open") and await shown_layers(page) == ["layer-1"]
    visitor.settle()


@check
async def the_slider_dims_and_each_box_says_why(site):
    visitor = await site.visitor()
    # Two detectors see a person; one sees a dog, and is not sure; the other one a cup.
    page = await visitor.page(f"images/{site.images[0]}")
    for key in "12":
        await page.keyboard.press(key)
    for value, dimmed in (("0", set()), ("0.5", {"dog"}), ("0.75", {"dog", "cup"}), ("1", {"dog", "cup", "person"})):
        await page.locator("#confidence").fill(value)
        texts = await page.locator(".layer rect.dim title").all_text_contents()
        assert {text.split()[0].split("_")[0] for text in texts} == dimmed, f"{value}: {texts}"
        rows = await page.locator("tr.dim[data-prediction] [data-name=Label]").all_inner_texts()
        assert set(rows) == dimmed, f"{value}: {rows}"
        assert await page.locator("#threshold").inner_text() == value
    fates = dict(
        zip(
            await page.locator("tr[data-prediction] [data-name=Label]").all_inner_texts(),
            await page.locator("tr[data-prediction] [data-name='What became of it']").all_inner_texts(),
        )
    )
    assert fates["person"].startswith("kept, in person_1, with "), fates
    for label in ("dog", "cup"):
        assert "dropped: no other detector saw it" in fates[label] and "confidence of 0.85" in fates[label], fates
    hover = await page.locator(".layer rect title").all_text_contents()
    assert any("cup 0.70, rtdetr: dropped" in text for text in hover), hover
    assert any("person_1" in text and "yolov8 0.90" in text and "rtdetr 0.80" in text for text in hover), hover
    # A box is really seen, and seen less when it is dimmed.
    opacity = "one => Number(getComputedStyle(one).opacity)"
    box = page.locator(".layer-0 rect[data-confidence]").first
    assert await box.evaluate(opacity) < 0.5
    await page.locator("#confidence").fill("0")
    assert await box.evaluate(opacity) == 1
    visitor.settle()


@check
async def two_clicks_lead_to_what_detectors_disagree_on(site):
    visitor = await site.visitor()
    page = await visitor.page()
    await page.get_by_role("link", name="Images", exact=True).click()
    await page.get_by_role("link", name="Detectors disagree").click()
    assert visitor.path(page) == "images?disagree=1", page.url
    await page.locator("ul.grid a").first.click()
    await page.wait_for_url("**/images/*")
    # There one sees at once who saw what.
    assert await shown_layers(page) == ["layer-0", "layer-1", "layer-fused"]
    visitor.settle()


# The line beside a layer's switch, and the first box of the layer, if it has one.
LEGEND = """labels => labels.map((label) => {
  const style = (element) => {
    const { stroke, strokeDasharray, strokeWidth } = getComputedStyle(element);
    return [stroke, strokeDasharray, strokeWidth].join(' | ');
  };
  const box = document.querySelector(`figure .${label.htmlFor} rect`);
  return [label.htmlFor, style(label.querySelector('svg.dash path')), box && style(box)];
})"""

PARTED = """boxes => boxes.filter((box) => {
  const [one, other] = [box, box.nextElementSibling].map((element) => element.getBoundingClientRect());
  return one.bottom < other.top || other.bottom < one.top || one.right > other.left + 1;
}).map((box) => box.id)"""


@check
async def the_legend_shows_each_layers_colour_and_pattern(site):
    visitor = await site.visitor()
    page = await visitor.page(f"images/{site.images[0]}")
    legend = await page.locator(".layer-switch + label").evaluate_all(LEGEND)
    assert len(legend) == 3, legend
    for layer, shown, drawn in legend:
        assert shown == drawn, f"{layer}: {shown}, but its boxes {drawn}"
    assert len({shown for _, shown, _ in legend}) == len(legend), legend
    # A switch and its name stay together, however narrow the screen is.
    for width in range(300, 700, 20):
        await page.set_viewport_size({"width": width, "height": 700})
        parted = await page.locator(".layer-switch").evaluate_all(PARTED)
        assert not parted, f"at {width} pixels: {parted}"
    visitor.settle()


@check
async def crops_show_faces_poses_and_colours(site):
    visitor = await site.visitor()
    page = await visitor.page(f"images/{site.images[0]}")
    row = page.locator("tr", has=page.get_by_role("link", name="person_1", exact=True))
    # The double's face has 20 pixels at 5, 5 of the crop, and its one landmark lies in the middle, a tenth down.
    assert await row.locator("svg.crop rect").count() == 1 and await row.locator("svg.crop .points").count() == 1
    crop = await row.locator("svg.crop").evaluate("one => one.viewBox.baseVal.width")
    face = await row.locator("svg.crop rect").evaluate("one => [one.x, one.width].map((value) => value.baseVal.value)")
    assert face[1] == 20 and crop > 100, (face, crop)
    assert await row.locator("svg.swatches rect").get_attribute("fill") == "#aa5500"
    await row.get_by_role("link", name="person_1").click()
    await page.get_by_role("heading", name="person_1").wait_for()
    assert "#aa5500 60 %" in await page.locator("main").inner_text()
    await page.locator("summary", has_text="pose").click()
    assert "image_point" in await page.locator("details[open] pre").inner_text()
    visitor.settle()
