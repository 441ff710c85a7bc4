"""What shows that a fault was felt: errors and the like that are counted while it lasts.

A sign is a function of a `Scene` whose count only grows. What a fault knows itself it adds to `Scene.felt`."""

import re
import signal


def complaints(link):
    """What boxes have logged of a server, which their lines name by the port of the proxy before it: its loss, failed
    tries, new connections. (A box's notices name all servers when it starts.)"""

    def count(scene):
        port = re.compile(rf"\b{scene.site.proxies[link].port}\b")
        return sum(" NOTICE " not in line and bool(port.search(line)) for line in scene.site.logged())

    return count


def warnings(pattern):
    """Warnings and errors of the boxes that match a pattern."""
    wanted = re.compile(rf" (WARNING|ERROR|CRITICAL) .*({pattern})")

    def count(scene):
        return sum(bool(wanted.search(line)) for line in scene.site.logged())

    return count


def ended(code):
    """Boxes that ended so, as subprocess tells it: 0 in good order, below 0 by that signal."""

    def count(scene):
        return sum(box.ends[code] for box in scene.site.boxes.values())

    return count


def producer_killed(scene):
    return scene.submitting.ends[-signal.SIGKILL]


def network(link):
    """What the proxy did to connections and what they carry."""

    def count(scene):
        return scene.site.proxies[link].hurt

    return count


def services(scene):
    """Requests and connections that doubles have failed, and connections that nobody took."""
    site = scene.site
    return sum(each.hurt + site.proxies[name].hurt for name, each in site.services.items())


def pictures(scene):
    return scene.site.pictures.hurt


def refusals(code):
    """What PostgreSQL has logged with that SQLSTATE."""

    def count(scene):
        return scene.site.postgresql.logged(code)

    return count


def missed_heartbeats(scene):
    """Of clients that RabbitMQ has given up; on the embedded file, leases that others have ended."""
    return scene.site.rabbitmq.missed_heartbeats() if scene.site.has_servers else scene.felt
