"""How many rows a second come, as the table of results tells it."""

import statistics
import threading
import time
from collections import deque

# What is called the rate of a moment, in seconds, and over how many undisturbed ones that before a fault is taken.
WINDOW, MINUTE = 10, 60


class Rate:
    def __init__(self, site):
        self.site, self.samples = site, deque(maxlen=600)
        self.baselines = []
        self.over = threading.Event()
        threading.Thread(target=self.watch, name="rate", daemon=True).start()

    def watch(self):
        while not self.over.wait(1):
            try:
                # Not the highest key: what is rolled back takes some of those, too.
                rows = self.site.count("SELECT count(*) FROM results")
            except Exception:  # A server that is away.
                continue
            self.samples.append((time.monotonic(), rows))

    def over_last(self, seconds):
        """0 if it is not known."""
        begin = time.monotonic() - seconds
        samples = [sample for sample in self.samples.copy() if sample[0] >= begin]
        if len(samples) < 2 or samples[-1][0] - samples[0][0] < seconds / 2:
            return 0
        return (samples[-1][1] - samples[0][1]) / (samples[-1][0] - samples[0][0])

    def before(self, quiet_since):
        """That of the minute before now, in which nothing is broken; it is waited for. Not less than is usual in this run: a
        rate that did not quite come back is no measure for the next fault."""
        time.sleep(max(0, quiet_since + MINUTE - time.monotonic()))
        self.baselines.append(self.over_last(MINUTE))
        return max(self.baselines[-1], statistics.median(self.baselines))

    def until(self, share, of, since):
        """Seconds since a moment until the rate is that share of what it was; None: not within a minute."""
        while time.monotonic() < since + MINUTE:
            if self.over_last(WINDOW) >= share * of:
                return time.monotonic() - since
            time.sleep(0.5)
        return None
