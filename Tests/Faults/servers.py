"""Servers of a run's own, by scripts/servers: what a fault does to them, and what the audit asks them."""

import json
import os
import signal
import subprocess
import time

import pika
import psycopg

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PASSWORD = "faults"


def integers(text):
    """Of an Erlang tuple."""
    return tuple(int(number) for number in text.strip("{}").split(","))


class Server:
    def __init__(self, kind, folder):
        self.kind, self.folder = kind, os.path.join(folder, f"faults-{os.getpid()}-{kind}")

    def script(self, verb, *arguments):
        path = os.path.join(ROOT, "scripts", "servers", self.kind + ".sh")
        process = subprocess.Popen(
            [path, verb, self.folder, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            output, error = process.communicate(timeout=300 if verb in ("start", "stop") else 15)
        except subprocess.TimeoutExpired:
            # A node that is just starting may leave who asks it something waiting for ever.
            os.killpg(process.pid, signal.SIGKILL)
            raise RuntimeError(f"{self.kind}.sh {verb}: no answer") from None
        if process.returncode:
            raise RuntimeError(f"{self.kind}.sh {verb}: {error.strip()[-500:]}")
        return output.strip()

    def start(self):
        """A start begins the server's log anew: what was in it is kept in another file."""
        if os.path.exists(self.log):
            with open(self.log, "rb") as log, open(self.log + ".before", "ab") as kept:
                kept.write(log.read())
        self.script("start")
        return self

    @property
    def log(self):
        return os.path.join(self.folder, "log")

    def logged(self, text):
        """How many lines with that text it has ever logged."""
        count = 0
        for path in (self.log, self.log + ".before"):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    count += sum(text in line for line in file)
        return count

    def stop(self, signal=None):
        self.script("stop", *([signal] if signal else []))

    @property
    def port(self):
        with open(os.path.join(self.folder, "ports"), encoding="ascii") as file:
            return int(file.read().split()[0])


class RabbitMQ(Server):
    def __init__(self, folder):
        super().__init__("rabbitmq", folder)

    def evaluate(self, expression):
        return self.script("evaluate", expression)

    def messages(self):
        """Messages by queue, those in somebody's hands too."""
        text = self.evaluate(
            "[[binary_to_list(N), integer_to_list(proplists:get_value(messages, I))] ||"
            " Q <- rabbit_amqqueue:list(<<\"/\">>), I <- [rabbit_amqqueue:info(Q, [messages])],"
            " {resource, _, queue, N} <- [amqqueue:get_name(Q)]].")
        words = text.replace("[", " ").replace("]", " ").replace(",", " ").replace('"', " ").split()
        return {name: int(count) for name, count in zip(words[::2], words[1::2])}

    def close_connections(self):
        """What `rabbitmqctl close_all_connections` does, without the seconds it takes to start."""
        return self.evaluate(
            "length([rabbit_networking:close_connection(P, \"by the fault runner\") ||"
            " P <- rabbit_networking:connections()]).")

    def missed_heartbeats(self):
        return self.logged("missed heartbeats from client")

    def alarm(self, is_on):
        verb = "set_alarm" if is_on else "clear_alarm"
        alarm = "{resource_limit, memory, node()}"
        self.evaluate(f"rabbit_alarm:{verb}({{{alarm}, []}})." if is_on else f"rabbit_alarm:{verb}({alarm}).")

    def delete(self, queue):
        """Returns how many messages were in it, in somebody's hands too, which are gone, and how many consumers it had."""
        text = self.evaluate(
            f"{{ok, Q}} = rabbit_amqqueue:lookup({{resource, <<\"/\">>, queue, <<\"{queue}\">>}}),"
            " [{messages, N}, {consumers, C}] = rabbit_amqqueue:info(Q, [messages, consumers]),"
            " rabbit_amqqueue:delete(Q, false, false, <<\"faults\">>), {N, C}.")
        return integers(text)

    def state(self, queue, *items):
        """Numbers that the broker has of a queue, such as `messages_ready`."""
        text = self.evaluate(
            f"{{ok, Q}} = rabbit_amqqueue:lookup({{resource, <<\"/\">>, queue, <<\"{queue}\">>}}),"
            f" list_to_tuple([N || {{_, N}} <- rabbit_amqqueue:info(Q, [{', '.join(items)}])]).")
        return integers(text)

    def policy(self, queue, **definition):
        """A policy of that queue alone; without a definition it is lifted."""
        if not definition:
            self.evaluate("rabbit_policy:delete(<<\"/\">>, <<\"faults\">>, <<\"faults\">>).")
            return
        terms = ", ".join(
            f"{{<<\"{name.replace('_', '-')}\">>, {value if isinstance(value, int) else f'<<{json.dumps(value)}>>'}}}"
            for name, value in definition.items())
        self.evaluate(
            f"rabbit_policy:set(<<\"/\">>, <<\"faults\">>, <<\"^{queue}$\">>, [{terms}], 0, <<\"queues\">>, <<\"faults\">>).")

    def connection(self):
        return pika.BlockingConnection(pika.ConnectionParameters(
            "127.0.0.1", self.port, "/", pika.PlainCredentials("guest", "guest"), heartbeat=10,
            blocked_connection_timeout=60))

    def declare_quorum(self, queue):
        with self.connection() as connection:
            connection.channel().queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})

    def dead_letters(self):
        """(service, image, reason) of each; they stay where they are."""
        letters = []
        with self.connection() as connection:
            for queue in [name for name, count in self.messages().items() if count and name.endswith(".dead")]:
                channel = connection.channel()
                while (taken := channel.basic_get(queue))[0]:
                    job = json.loads(taken[2])
                    reason = (taken[1].headers or {}).get("x-farm-reason", "")
                    letters.append((job.get("service_name"), str(job.get("image_id")), reason))
        return letters


class PostgreSQL(Server):
    reserved = 3

    def __init__(self, folder):
        super().__init__("postgresql", folder)

    def start(self):
        super().start()
        if not os.path.exists(os.path.join(self.folder, "made")):
            self.run(f"CREATE ROLE farm LOGIN PASSWORD '{PASSWORD}'", "postgres")
            self.run("CREATE DATABASE farm OWNER farm", "postgres")
            self.run("ALTER SYSTEM SET max_connections = 60", "postgres")
            self.run("ALTER SYSTEM SET log_line_prefix = '%m [%p] %u SQLSTATE %e '", "postgres")
            self.script("stop")
            super().start()
            open(os.path.join(self.folder, "made"), "w", encoding="ascii").close()
        return self

    def connect(self, database="farm"):
        return psycopg.connect(
            host=self.folder, port=self.port, user="postgres", dbname=database, autocommit=True, connect_timeout=20,
            options="-c default_transaction_read_only=off -c statement_timeout=90s")

    def run(self, sql, database="farm"):
        """The rows, as lists of texts."""
        with self.connect(database) as connection:
            rows = connection.execute(sql)
            if not rows.description:
                return []
            return [["" if value is None else str(value) for value in row] for row in rows]

    def logged(self, code):
        """How many lines it has ever logged for farm with that SQLSTATE."""
        return super().logged(f" farm SQLSTATE {code} ")

    def terminate(self):
        """Ends all of farm's sessions; returns a row for each."""
        return self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'farm'")

    def become_standby(self):
        """It is started anew as a standby, which answers and takes no writes."""
        self.script("stop", "INT")
        data = os.path.join(self.folder, "data")
        signal_file = os.path.join(data, "standby.signal")
        open(signal_file, "w", encoding="ascii").close()
        os.chown(signal_file, os.stat(data).st_uid, os.stat(data).st_gid)
        self.start()

    def promote(self):
        self.run("SELECT pg_promote()", "postgres")

    def use_up(self, sequence):
        """Leaves no number in a sequence."""
        while True:
            last = self.run(f"SELECT last_value FROM {sequence}")[0][0]
            try:
                self.run(f"ALTER SEQUENCE {sequence} MAXVALUE {last}")
                return
            except psycopg.errors.InvalidParameterValue:
                continue  # It has gone on meanwhile.

    def hold(self, sql, seconds):
        """Another client in the middle of a transaction, for so long; returns how many of farm's sessions waited for a
        lock meanwhile, each counted once a second."""
        waited, end = 0, time.monotonic() + seconds
        with self.connect() as connection, connection.transaction(), self.connect() as other:
            connection.execute(sql)
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(left, 1))
                waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'farm' AND wait_event_type = 'Lock'"
                waited += other.execute(waiting).fetchone()[0]
        return waited

    def occupy(self):
        """Connections of others until only those for superusers are left."""
        others = []
        while True:
            # The one that asks is counted, too.
            free = 1 + int(self.run(
                "SELECT current_setting('max_connections')::int - count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend'")[0][0])
            if free <= self.reserved:
                return others
            for _ in range(free - self.reserved):
                try:
                    others.append(self.connect())
                except psycopg.OperationalError:
                    # Somebody was quicker: one of these has a place that is kept for superusers.
                    others.pop().close()
                    break


class MariaDB(Server):
    def __init__(self, folder):
        super().__init__("mariadb", folder)

    def start(self):
        super().start()
        if not os.path.exists(os.path.join(self.folder, "made")):
            self.run("CREATE DATABASE monitoring")
            self.run(f"CREATE USER farm@'%' IDENTIFIED BY '{PASSWORD}'")
            # To make its table; afterwards it has the guide's rights alone.
            self.run("GRANT SELECT, INSERT, UPDATE, CREATE, ALTER, INDEX ON monitoring.* TO farm@'%'")
            open(os.path.join(self.folder, "made"), "w", encoding="ascii").close()
        return self

    def run(self, sql):
        done = subprocess.run(
            ["mariadb", "--no-defaults", "-N", "-B", "-u", "root", "-S", os.path.join(self.folder, "socket"), "-e", sql],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        if done.returncode:
            raise ConnectionError(done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]
