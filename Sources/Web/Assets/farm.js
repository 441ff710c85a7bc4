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

// MARK: Live content

const live = document.getElementById("live");

// Swaps the content, but not under somebody's hands, and keeps what has the focus.
async function refresh() {
  const active = document.activeElement;
  if (live.contains(active) && active.matches("input, select, textarea")) return;
  if (live.querySelector("details[open] form")) return;
  const url = new URL(location.href);
  url.searchParams.delete("done");
  url.searchParams.delete("what");
  url.searchParams.set("part", "live");
  const answer = await fetch(url, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer) return;
  if (answer.redirected || answer.status === 401) return location.reload();
  if (!answer.ok) return;
  const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
  live.innerHTML = await answer.text();
  localTimes(live);
  if (focused) document.getElementById(focused)?.focus();
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
    worker.port.onmessage = refreshSoon;
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
    slider.closest("label").querySelector("output").value = slider.value;
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
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.matches("input:not(.layer-switch), select, textarea, button, a, summary");
    if (isTyping || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}
