"""Tells what a run waits for when nothing happens any more, and ends it."""

import faulthandler
import os
import signal
import threading
import time


class Watchdog:
    """Each step has so many seconds. When one takes longer the stacks of all threads are printed and the run gets SIGTERM,
    by which its servers and boxes end, too; if that is not heard within a minute, SIGKILL."""

    def __init__(self, log):
        self.log, self.what, self.end = log, None, None
        self.over = threading.Event()
        threading.Thread(target=self.watch, name="watchdog", daemon=True).start()

    def step(self, what, seconds):
        self.end, self.what = time.monotonic() + seconds, what

    def watch(self):
        while not self.over.wait(1):
            if self.end and time.monotonic() > self.end:
                self.log(f"WRONG: {self.what}: no end; where each thread is:")
                faulthandler.dump_traceback(all_threads=True)
                os.kill(os.getpid(), signal.SIGTERM)
                if not self.over.wait(60):
                    os.kill(os.getpid(), signal.SIGKILL)
                return
