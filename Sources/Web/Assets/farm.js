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
