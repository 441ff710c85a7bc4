// What the pages can do better with JavaScript. All of it works without, too.
const root = document.body.dataset.root;

// MARK: Times

function localTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (!Number.isNaN(date.valueOf())) time.title = `${date.toLocaleString()} here`;
  }
}
localTimes(document);

// MARK: The result of an act

// What stands in a live region when the page comes is not read out: it has to come afterwards. It keeps its place meanwhile.
const notice = document.getElementById("notice");
let toldAt = 0;
const result = [...notice.childNodes];
if (notice.textContent.trim()) {
  notice.style.minHeight = `${notice.offsetHeight}px`;
  notice.replaceChildren();
  setTimeout(() => {
    notice.replaceChildren(...result);
    notice.style.minHeight = "";
    toldAt = performance.now();
  }, 300);
}

// It is said once, and not again when somebody comes back to the page or copies its address.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  address.searchParams.delete("what");
  history.replaceState(history.state, "", address);
}

// When what is shown has changed it may be true no longer. There is time to read it, though.
const readingTime = 6000;
function dropNotice() {
  if (!notice.firstElementChild) return;
  setTimeout(() => notice.replaceChildren(), Math.max(0, toldAt + readingTime - performance.now()));
}

// MARK: Live content

const live = document.getElementById("live");

// What it says, but for times: that it is a moment later is no change.
function said(element) {
  const copy = element.cloneNode(true);
  for (const time of copy.querySelectorAll("time")) time.remove();
  return copy.textContent;
}

// A click is one only if what the pointer goes down on is still there when it goes up.
let isPressed = false;
addEventListener("pointerdown", () => (isPressed = true), true);
for (const end of ["pointerup", "pointercancel"])
  addEventListener(end, () => setTimeout(() => (isPressed = false)), true);

// What somebody is about to press stays where it is, or the press would land on what has come there instead. A pointer that
// only rests somewhere holds nothing up.
let movedAt = -Infinity;
addEventListener("pointermove", () => (movedAt = performance.now()), true);
const isAimed = () => performance.now() - movedAt < 1500 && live.querySelector("button:hover, a:hover, summary:hover") !== null;

// Whether somebody types, aims, presses, or marks text to copy it.
function isInUse() {
  const active = document.activeElement;
  const selection = getSelection();
  return (
    isPressed ||
    isAimed() ||
    (live.contains(active) && active.matches("input, select, textarea")) ||
    (!selection.isCollapsed && live.contains(selection.anchorNode)) ||
    live.querySelector("details[open] form") !== null
  );
}

// What an element is known by when the content has come anew.
const known = (element) =>
  [
    element.tagName, element.id, element.getAttribute("href"), element.form?.getAttribute("action"),
    element.getAttribute("aria-label") ?? element.textContent,
  ].join("\n");

function swap(text) {
  const active = document.activeElement;
  const alike = (to) => [...live.querySelectorAll(active.tagName)].filter((element) => known(element) === to);
  const focused = live.contains(active) ? known(active) : null;
  const place = focused === null ? -1 : alike(focused).indexOf(active);
  const before = said(live);
  live.innerHTML = text;
  localTimes(live);
  if (said(live) !== before) dropNotice();
  if (place >= 0) alike(focused)[place]?.focus({ preventScroll: true });
}

// Swaps the content, but not under somebody's hands, and keeps what has the focus.
async function refresh() {
  if (isInUse()) return refreshLater();
  const url = new URL(location.href);
  url.searchParams.set("part", "live");
  const answer = await fetch(url, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer?.redirected || answer?.status === 401) return location.reload();
  const text = answer?.ok ? await answer.text().catch(() => null) : null;
  showAge(text === null);
  if (text === null) return;
  if (isInUse()) refreshLater();
  else swap(text);
}

// What was held up does not wait for the next event, which may be minutes away.
let later = null;
function refreshLater() {
  later ??= setTimeout(() => {
    later = null;
    refreshSoon();
  }, 1500);
}

// Nobody should take old numbers for new ones.
const aged = document.createElement("p");
aged.className = "fault";
aged.hidden = true;
aged.textContent = "The server does not answer: what is shown here is old.";
function showAge(isOld) {
  if (!aged.isConnected) live.before(aged);
  aged.hidden = !isOld;
}

// One refresh at a time, however fast events come.
let running = null;
let isDue = false;
function refreshSoon() {
  if (running) {
    isDue = true;
    return;
  }
  running = refresh().finally(() => {
    running = null;
    if (isDue) {
      isDue = false;
      refreshSoon();
    }
  });
}

if ("live" in document.body.dataset) {
  const visibility = () => (document.hidden ? "hidden" : "visible");
  if ("SharedWorker" in window) {
    const link = new URL(document.querySelector("script[src*='farm.js']").src);
    const worker = new SharedWorker(new URL("events.js" + link.search, link), { name: "farm" });
    worker.port.onmessage = ({ data }) => (data.lost ? showAge(true) : refreshSoon());
    const tell = () => worker.port.postMessage(visibility());
    tell();
    document.addEventListener("visibilitychange", tell);
    addEventListener("pagehide", () => worker.port.postMessage("gone"));
    addEventListener("pageshow", tell);
  } else {
    let source = null;
    const settle = () => {
      if (!document.hidden && !source) {
        source = new EventSource(root + "events");
        source.addEventListener("farm", refreshSoon);
        source.addEventListener("error", () => showAge(true));
      } else if (document.hidden && source) {
        source.close();
        source = null;
      }
    };
    settle();
    document.addEventListener("visibilitychange", settle);
  }
}

// MARK: One image

const viewer = document.querySelector(".viewer");
if (viewer) {
  const switches = [...viewer.querySelectorAll(".layer-switch")];
  const numbered = switches.filter((box) => box.id !== "layer-fused");
  const slider = document.getElementById("confidence");
  slider.closest(".slider").hidden = false;
  const dim = () => {
    document.getElementById("threshold").textContent = slider.value;
    for (const element of document.querySelectorAll("[data-confidence]"))
      element.classList.toggle("dim", Number(element.dataset.confidence) < Number(slider.value));
  };
  slider.addEventListener("input", dim);

  let remembered = null;
  const keys = {
    0: () => document.getElementById("layer-fused").click(),
    " ": () => {
      if (switches.some((box) => box.checked)) {
        remembered = switches.map((box) => box.checked);
        for (const box of switches) box.checked = false;
      } else {
        switches.forEach((box, index) => (box.checked = remembered ? remembered[index] : true));
      }
    },
    ArrowLeft: () => document.querySelector("nav.turning a[rel=prev]")?.click(),
    ArrowRight: () => document.querySelector("nav.turning a[rel=next]")?.click(),
  };
  numbered.slice(0, 9).forEach((box, index) => (keys[index + 1] = () => box.click()));
  // Digits and arrows mean nothing to a button or a link; the space bar does. It does to a switch that somebody has come to by
  // the keyboard; to one that was clicked it stands for all boxes still.
  let isClicked = false;
  addEventListener("pointerdown", () => (isClicked = true), true);
  const means = (target, key) => {
    if (key === " ") return target.matches("input, select, textarea, button, summary, a") && !(isClicked && target.matches(".layer-switch"));
    return target.matches("input:not([type=checkbox]), select, textarea") && !(target.type === "range" && /^\d$/.test(key));
  };
  addEventListener("keydown", (event) => {
    if (event.key === "Tab") isClicked = false;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!keys[event.key] || means(event.target, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
}
