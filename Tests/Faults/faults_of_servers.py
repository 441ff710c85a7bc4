"""Faults of RabbitMQ, PostgreSQL and MariaDB."""

import signal

import signs
from catalogue import Deleted, fault
from doubles import OF_ANOTHER, SERVICES
from farmsite import eventually

# RabbitMQ


def add_restarts():
    servers = {
        "RabbitMQ": ("rabbitmq", "queue"), "PostgreSQL": ("postgresql", "store"), "MariaDB": ("mariadb", "monitoring")}
    ways = {
        "RabbitMQ": {"stopped": None, "killed": "KILL"},
        "PostgreSQL": {"restarted fast": "INT", "restarted immediately": "QUIT", "killed": "KILL"},
        "MariaDB": {"stopped": None, "killed": "KILL"},
    }
    for name, (kind, link) in servers.items():
        for way, number in ways[name].items():

            def restart(scene, kind=kind, number=number):
                server = getattr(scene.site, kind)
                server.stop(number)
                # MariaDB is written to by heartbeats alone: a short absence passes between two of them.
                scene.hold_until_felt(scene.random.uniform(0, 6))
                server.start()

            how = {None: "in good order", "KILL": "SIGKILL", "INT": "SIGINT", "QUIT": "SIGQUIT"}[number]
            restart.__doc__ = f"{how}, down for up to 6 s, started again"
            fault(f"{name} {way}", "servers", sign=signs.complaints(link))(restart)


add_restarts()


@fault("RabbitMQ short of memory", "servers", sign=signs.warnings("low on memory"))
def memory_alarm(scene):
    """its memory alarm is raised for 40 s: it takes no messages"""
    scene.site.rabbitmq.alarm(True)
    scene.hold(40)
    scene.site.rabbitmq.alarm(False)


@fault("queue deleted", "servers")
def delete_queue(scene):
    """a service's queue is deleted; what it held is gone by the broker's nature, and submitted again by --resume"""
    # farm declares a deleted queue as its own.
    name = scene.random.choice([each for each in SERVICES[0] if each != OF_ANOTHER])
    messages, consumers = scene.site.rabbitmq.delete("queue_" + name)
    scene.felt += consumers
    scene.deleted.append(Deleted(name, scene.submitting.fault, messages))
    scene.hold(2)


@fault("RabbitMQ's connections closed", "servers")
def close_connections(scene):
    """as rabbitmqctl close_all_connections, up to three times"""
    for _ in range(scene.random.randint(1, 3)):
        scene.felt += int(scene.site.rabbitmq.close_connections())
        scene.hold(scene.random.uniform(0.2, 2))


@fault("queue full", "servers")
def fill_queue(scene):
    """a service hangs, and by a policy its queue takes no more than ten jobs (reject-publish), for 20 s"""
    name, broker = scene.random.choice(SERVICES[0]), scene.site.rabbitmq
    scene.network(scene.site.services[name].become("hang"))
    # In this order: by a limit alone the broker drops what is too many, at once.
    broker.policy("queue_" + name, overflow="reject-publish")
    broker.policy("queue_" + name, max_length=10, overflow="reject-publish")
    for _ in range(20):
        scene.hold(1)
        scene.felt += broker.state("queue_" + name, "messages_ready")[0] >= 10
    scene.network(scene.site.services[name].become("up"))
    # RabbitMQ 3 goes on refusing what publishes to a quorum queue if its limit is lifted while it is full.
    eventually("room in the queue", lambda: broker.state("queue_" + name, "messages_ready")[0] < 5)
    broker.policy("queue_" + name)


@fault("drained on a queue with a limit", "servers")
def drain_limited(scene):
    """a quorum queue takes back each message once by a policy; its service hangs, its workers are drained three times"""
    queue, broker = "queue_" + OF_ANOTHER, scene.site.rabbitmq
    broker.policy(queue, delivery_limit=1)
    scene.network(scene.site.services[OF_ANOTHER].become("hang"))
    for _ in range(3):
        scene.hold(5)
        scene.felt += broker.state(queue, "messages_unacknowledged")[0]
        for name in ("workers 1", "workers 2"):
            code = scene.site.boxes[name].restart(signal.SIGTERM)
            if code:
                raise AssertionError(f"farm up ended with {code} after SIGTERM")
    scene.network(scene.site.services[OF_ANOTHER].become("up"))
    scene.hold(2)
    broker.policy(queue)


# PostgreSQL


@fault("PostgreSQL's backends terminated", "servers")
def terminate(scene):
    """pg_terminate_backend of all of farm's, up to five times"""
    for _ in range(scene.random.randint(1, 5)):
        scene.felt += len(scene.site.postgresql.terminate())
        scene.hold(scene.random.uniform(0.2, 2))


@fault("PostgreSQL out of connections", "servers", sign=signs.refusals("53300"))
def occupy(scene):
    """farm's connections are terminated, and others take every one there is for 10 s"""
    store = scene.site.postgresql
    visitors = store.occupy()
    store.terminate()
    visitors += store.occupy()
    scene.hold(10)
    for visitor in visitors:
        visitor.close()


# A standby refuses farm's "BEGIN … READ WRITE" with 0A000. (default_transaction_read_only would be felt by nobody.)
@fault("PostgreSQL a standby", "servers", sign=signs.refusals("0A000"))
def standby(scene):
    """restarted as a standby, which answers and takes no writes, for 10 s, then promoted"""
    scene.site.postgresql.become_standby()
    scene.hold(10)
    scene.site.postgresql.promote()


@fault("PostgreSQL: a sequence at its end", "servers", sign=signs.refusals("2200H"))
def use_up_sequence(scene):
    """that of the results' keys has no number left for 10 s"""
    scene.site.postgresql.use_up("results_result_id_seq")
    scene.hold(10)
    scene.site.postgresql.run("ALTER SEQUENCE results_result_id_seq NO MAXVALUE")


@fault("PostgreSQL: rights revoked", "servers", sign=signs.refusals("42501"))
def revoke(scene):
    """farm may not INSERT into results for 10 s"""
    scene.site.postgresql.run("REVOKE INSERT ON results FROM farm")
    scene.hold(10)
    scene.site.postgresql.run("GRANT INSERT ON results TO farm")


def add_locks():
    held = {
        "results locked": "LOCK TABLE results IN ACCESS EXCLUSIVE MODE",
        "consensus locked": "LOCK TABLE consensus IN ACCESS EXCLUSIVE MODE",
        "images locked one by one":
            # In the order in which farm takes them.
            "SELECT pg_advisory_xact_lock(1717662317, image_id) FROM (SELECT image_id FROM images WHERE image_id > "
            " (SELECT max(image_id) - 30 FROM images) ORDER BY image_id) AS newest",
        # In one transaction with an old view of the results. (Nobody changes rows of images: to lock those is felt by nobody.)
        "rows locked":
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM results; "
            "SELECT 1 FROM farm_stale FOR UPDATE; "
            "SELECT 1 FROM (SELECT image_id FROM consensus ORDER BY consensus_id DESC LIMIT 30 FOR UPDATE) AS newest",
    }
    for name, sql in held.items():
        for seconds in (12, 60):

            def lock(scene, sql=sql, seconds=seconds):
                scene.felt += scene.site.postgresql.hold(sql, seconds * scene.patience)

            lock.__doc__ = f"by another client, for {seconds} s"
            fault(f"PostgreSQL: {name}" + (" for a minute" if seconds == 60 else ""), "servers", seconds == 60)(lock)


add_locks()


@fault("MariaDB down for a while", "servers", sign=signs.complaints("monitoring"))
def mariadb_down(scene):
    """stopped for 20 s; work goes on meanwhile"""
    scene.site.mariadb.stop()
    before = scene.site.count("SELECT count(*) FROM results")
    scene.hold(20)
    eventually("rows while the monitoring database is down", lambda: scene.site.count("SELECT count(*) FROM results") > before)
    scene.site.mariadb.start()
