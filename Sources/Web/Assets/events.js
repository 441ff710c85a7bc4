// A shared worker: one stream of events for all tabs of this browser, since HTTP/1.1 allows six connections for each host.
// It is closed while no tab is visible.
const tabs = new Map();
let source = null;
let last = null;

function settle() {
  const isWatched = [...tabs.values()].some((visible) => visible);
  if (isWatched && !source) {
    source = new EventSource("../events");
    source.addEventListener("farm", (event) => {
      last = event.data;
      for (const [tab, visible] of tabs) if (visible) tab.postMessage({ farm: last });
    });
    source.addEventListener("error", () => {
      for (const [tab, visible] of tabs) if (visible) tab.postMessage({ lost: true });
      // It connects again by itself unless the server has refused it.
      if (source && source.readyState === EventSource.CLOSED) {
        source = null;
        setTimeout(settle, 5000);
      }
    });
  } else if (!isWatched && source) {
    source.close();
    source = null;
  }
}

self.addEventListener("connect", (event) => {
  const tab = event.ports[0];
  tab.addEventListener("message", (message) => {
    if (message.data === "gone") tabs.delete(tab);
    else tabs.set(tab, message.data === "visible");
    settle();
  });
  // Of a tab that has crashed, in browsers that tell.
  tab.addEventListener("close", () => {
    tabs.delete(tab);
    settle();
  });
  tab.start();
});
