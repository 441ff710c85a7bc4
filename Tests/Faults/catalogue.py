"""The faults: each injects, holds for a while, and heals. What is wrong then is farm's to get over by itself.

A fault is a function of a `Scene`; its documentation is how it is done, in the table's words. It has a sign by which it shows
that it was felt. They are in faults_of_farm.py and faults_of_servers.py."""

import time
from typing import NamedTuple

FAULTS = []


class Fault:
    """`sign`: see signs.py. `is_slow`: it takes a minute, or is not felt in a fifth of its time."""

    def __init__(self, name, backends, inject, sign, is_slow):
        self.name, self.backends, self.inject, self.sign, self.is_slow = name, backends, inject, sign, is_slow
        self.how = " ".join(inject.__doc__.split())


class Deleted(NamedTuple):
    """A queue that was deleted, and how many jobs of its service were in it, all of batches up to that fault's."""
    service: str
    fault: int
    messages: int


class Scene:
    """What a fault is given: the site, the producer, its own random numbers, and how long faults are held."""

    def __init__(self, site, submitting, random, patience):
        self.site, self.submitting, self.random, self.patience = site, submitting, random, patience
        self.deleted = []
        # How often faults were felt, as far as they know it themselves.
        self.felt = 0
        self.fault, self.sign_before = None, 0

    def begin(self, fault, sign_before=None):
        self.fault = fault
        self.sign_before = fault.sign(self) if sign_before is None else sign_before

    def times_felt(self):
        """How often the fault that has begun was felt."""
        return self.fault.sign(self) - self.sign_before

    def hold(self, seconds):
        time.sleep(seconds * self.patience)

    def hold_until_felt(self, seconds):
        """For so long, and longer if nobody has met it: at most half a minute."""
        self.hold(seconds)
        end = time.monotonic() + 30
        while not self.times_felt() and time.monotonic() < end:
            time.sleep(0.2)

    def hold_still(self, seconds):
        """Holds, and counts as felt each second in which no result came."""
        end = time.monotonic() + seconds * self.patience
        before = None
        while (left := end - time.monotonic()) > 0:
            rows = self.site.count("SELECT count(*) FROM results")
            self.felt += rows == before
            before = rows
            time.sleep(min(left, 1))

    def network(self, coroutine):
        return self.site.network.run(coroutine)


def itself(scene):
    """The sign of a fault that counts in `Scene.felt`."""
    return scene.felt


def fault(name, backends="embedded servers", is_slow=False, sign=itself):
    def add(function):
        FAULTS.append(Fault(name, backends.split(), function, sign, is_slow))
        return function

    return add
