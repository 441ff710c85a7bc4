"""Faults of farm's own processes, of services, of the network, and of the embedded file."""

import signal
import sqlite3
import time

import signs
from catalogue import fault
from doubles import SERVICES

# Processes of farm


def add_processes():
    kinds = {"worker box": ["workers 1", "workers 2"], "merger box": ["merger"], "enricher box": ["enricher"]}
    for kind, names in kinds.items():

        def kill(scene, names=names):
            box = scene.site.boxes[scene.random.choice(names)]
            for _ in range(scene.random.randint(1, 3)):
                box.restart(signal.SIGKILL)
                scene.hold(scene.random.uniform(0.2, 2))

        kill.__doc__ = "SIGKILL, and started again, up to three times"
        fault(f"{kind} killed", sign=signs.ended(-signal.SIGKILL))(kill)


add_processes()


@fault("every process killed", sign=signs.ended(-signal.SIGKILL))
def kill_all(scene):
    """SIGKILL to all boxes at once, then started again"""
    for box in scene.site.boxes.values():
        box.send(signal.SIGKILL)
    for box in scene.site.boxes.values():
        box.wait()
    scene.hold(1)
    for box in scene.site.boxes.values():
        box.start()


@fault("worker box drained", sign=signs.ended(0))
def drain(scene):
    """SIGTERM at a random moment, waited for, started again"""
    for name in ("workers 1", "workers 2"):
        scene.hold(scene.random.uniform(0, 1))
        code = scene.site.boxes[name].restart(signal.SIGTERM)
        if code:
            raise AssertionError(f"farm up ended with {code} after SIGTERM")


@fault("worker box frozen", is_slow=True, sign=signs.missed_heartbeats)
def freeze(scene):
    """SIGSTOP, for longer than its lease or the broker's heartbeats allow, then SIGCONT"""
    box = scene.site.boxes[scene.random.choice(["workers 1", "workers 2"])]
    before = scene.site.leases()
    box.send(signal.SIGSTOP)
    scene.hold(30)
    scene.felt += len(before - scene.site.leases())
    box.send(signal.SIGCONT)


@fault("producer killed", sign=signs.producer_killed)
def kill_producer(scene):
    """`farm produce` gets SIGKILL in the middle; --resume later submits the rest"""
    scene.submitting.kill_next.set()
    deadline = time.monotonic() + 120
    while scene.submitting.kill_next.is_set() and time.monotonic() < deadline:
        time.sleep(0.1)


# Services


def add_services():
    detectors = ["yolov8", "rtdetr", "detectron2"]

    def some(scene):
        names = SERVICES[0] + SERVICES[1]
        return scene.random.sample(names, scene.random.randint(1, 4)) + [scene.random.choice(detectors)]

    def outage(mode, seconds):
        def inject(scene):
            services = [scene.site.services[name] for name in dict.fromkeys(some(scene))]
            for service in services:
                scene.network(service.become(mode))
            scene.hold_until_felt(seconds)
            for service in services:
                scene.network(service.become("up"))

        return inject

    def flap(scene):
        services = [scene.site.services[name] for name in dict.fromkeys(some(scene))]
        for _ in range(scene.random.randint(3, 6)):
            for mode in ("down", "up"):
                for service in services:
                    scene.network(service.become(mode))
                scene.hold(scene.random.uniform(0.2, 1.5))

    modes = {
        "down": ("nobody listens, open connections end", 10), "hang": ("no answer to any request", 15),
        "slow": ("a second for each answer", 10), "closing": ("connections end after each answer or instead of it", 10),
        "error": ("503 to every request", 6), "garbage": ("HTML in place of JSON", 4),
    }
    names = {
        "down": "services down", "hang": "services hanging", "slow": "services slow",
        "closing": "services closing connections", "error": "services out of order", "garbage": "services answer garbage",
    }
    for mode, (how, seconds) in modes.items():
        inject = outage(mode, seconds)
        inject.__doc__ = f"two to five services: {how}"
        fault(names[mode], sign=signs.services)(inject)
    flap.__doc__ = "two to five services down and up again, three to six times"
    fault("services flapping", sign=signs.services)(flap)


add_services()


@fault("pictures' host out of order", sign=signs.pictures)
def no_pictures(scene):
    """503 to every picture asked for by URL, for 10 s"""
    scene.network(scene.site.pictures.become("error"))
    scene.hold_until_felt(10)
    scene.network(scene.site.pictures.become("up"))


@fault("pictures' host down", sign=signs.pictures)
def pictures_away(scene):
    """nobody listens where pictures are asked for by URL, for 10 s"""
    scene.network(scene.site.pictures.become("down"))
    scene.hold_until_felt(10)
    scene.network(scene.site.pictures.become("up"))


# The network


def add_network():
    links = {"queue": ("RabbitMQ", "servers"), "store": ("PostgreSQL", "servers"),
             "monitoring": ("MariaDB", "servers"), "yolov8": ("a service", "embedded servers")}

    def cut(proxy, scene):
        scene.network(proxy.cut())
        scene.hold_until_felt(12)
        scene.network(proxy.heal())

    def long_cut(proxy, scene):
        scene.network(proxy.cut())
        scene.hold_until_felt(60)
        scene.network(proxy.heal())

    def reset(proxy, scene):
        for _ in range(scene.random.randint(1, 4)):
            scene.network(proxy.reset())
            scene.hold(scene.random.uniform(0.1, 1))

    def half_open(proxy, scene):
        scene.network(proxy.half_open())
        scene.hold_until_felt(15)
        scene.network(proxy.heal())

    def limp(**how):
        def inject(proxy, scene):
            scene.network(proxy.limp(**how))
            scene.hold_until_felt(10)
            scene.network(proxy.heal())

        return inject

    kinds = {
        "cut": (cut, "nothing passes for 12 s, no RST", False),
        "cut for a minute": (long_cut, "nothing passes for 60 s, no RST", True),
        "reset": (reset, "RST to every connection, up to four times", False),
        "half-open": (half_open, "the server loses the connections, farm hears nothing for 15 s", False),
        "latency": (limp(latency=0.15), "150 ms each way", False),
        "narrow": (limp(rate=200_000), "200 kB/s a connection", False),
        "sliced": (limp(slices=48), "packets of 1 to 48 bytes", False),
    }
    for link, (server, backends) in links.items():
        for kind, (function, how, is_slow) in kinds.items():

            def inject(scene, link=link, function=function):
                function(scene.site.proxies[link], scene)

            inject.__doc__ = f"the proxy before {server}: {how}"
            fault(f"network to {server}: {kind}", backends, is_slow, signs.network(link))(inject)


add_network()


# The embedded file


@fault("file locked", "embedded")
def lock_file(scene):
    """another program holds farm.db's write lock for 12 s"""
    file = sqlite3.connect(scene.site.path("farm.db"), timeout=60, isolation_level=None)
    file.execute("BEGIN IMMEDIATE")
    scene.hold_still(12)
    file.execute("COMMIT")
    file.close()


@fault("file read for long", "embedded")
def read_file(scene):
    """another program reads farm.db in one transaction for 15 s, so that its log cannot be cut"""
    file = sqlite3.connect(scene.site.path("farm.db"), timeout=60, isolation_level=None)
    file.execute("BEGIN")
    file.execute("SELECT count(*) FROM results").fetchone()
    scene.hold(15)
    other = sqlite3.connect(scene.site.path("farm.db"), timeout=60, isolation_level=None)
    _, pages, written_back = other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    scene.felt += pages - written_back
    other.close()
    file.execute("COMMIT")
    file.close()
