"""How many rows a second come, as the table of results tells it."""

import threading
import time
from collections import deque

WINDOW = 5


class Rate:
    def __init__(self, site):
        self.site, self.samples = site, deque(maxlen=1200)
        self.over = threading.Event()
        threading.Thread(target=self.watch, name="rate", daemon=True).start()

    def watch(self):
        while not self.over.wait(0.5):
            try:
                newest = self.site.count("SELECT coalesce(max(result_id), 0) FROM results")
            except Exception:  # A server that is away.
                continue
            self.samples.append((time.monotonic(), newest))

    def lately(self):
        """Over the last seconds; 0 if they are not known."""
        begin = time.monotonic() - WINDOW
        samples = [sample for sample in self.samples.copy() if sample[0] >= begin]
        if len(samples) < 2 or samples[-1][0] - samples[0][0] < WINDOW / 2:
            return 0
        return (samples[-1][1] - samples[0][1]) / (samples[-1][0] - samples[0][0])

    def until(self, share, of, since, limit=60):
        """Seconds since a moment until the rate is that share of what it was; at most the limit."""
        while time.monotonic() < since + limit:
            if self.lately() >= share * of:
                return time.monotonic() - since
            time.sleep(0.5)
        return limit
