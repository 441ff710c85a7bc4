"""How many rows a second come, as the table of results tells it."""

import threading
import time
from collections import deque

# What is called the rate of a moment, in seconds.
WINDOW = 5
# Over how long a rate before a fault is taken: what nothing disturbed of the last minute, but not less than this.
LEAST, MOST = 20, 60


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

    def over_last(self, seconds):
        """0 if it is not known."""
        begin = time.monotonic() - seconds
        samples = [sample for sample in self.samples.copy() if sample[0] >= begin]
        if len(samples) < 2 or samples[-1][0] - samples[0][0] < seconds / 2:
            return 0
        return (samples[-1][1] - samples[0][1]) / (samples[-1][0] - samples[0][0])

    def before(self, quiet_since):
        """Waits until there is enough to tell by."""
        time.sleep(max(0, quiet_since + LEAST - time.monotonic()))
        return self.over_last(min(MOST, time.monotonic() - quiet_since))

    def until(self, share, of, since, limit=60):
        """Seconds since a moment until the rate is that share of what it was; None: not within the limit."""
        while time.monotonic() < since + limit:
            if self.over_last(WINDOW) >= share * of:
                return time.monotonic() - since
            time.sleep(0.5)
        return None
