"""A test double of the programs that share farm's servers and know nothing of farm: by pika, psycopg and mysql-connector,
as the older scripts do it. The servers are those of .env in the working directory.

    neighbour.py sql FILE                 runs the SQL of a file
    neighbour.py publish FILE             sends the lines of a file: QUEUE, a blank, the body
    neighbour.py share QUEUE OTHER BODY   sends a message whose header CC names OTHER, too (sender-selected distribution)
    neighbour.py work SERVICE [--hold]    takes jobs one at a time, stores a row, triggers, acknowledges; until SIGTERM.
                                          With --hold it takes one and does nothing with it
    neighbour.py decorate QUEUE           sends a job with all properties and headers of all types; QUEUE has to be there
    neighbour.py look QUEUE               takes QUEUE's messages, whatever its arguments, and prints all that comes with them
    neighbour.py take QUEUE               takes QUEUE's messages and prints them, a JSON line each
    neighbour.py read                     prints what it finds in the tables, and of which types the values are, as JSON

Queues are declared as the older scripts declare them: durable, no arguments.
"""

import argparse
import datetime
import decimal
import json
import signal

import mysql.connector
import pika
import psycopg

DETECTORS = ("yolov8", "rtdetr", "detectron2")


def environment():
    with open(".env", encoding="utf-8") as file:
        pairs = (line.strip().split("=", 1) for line in file if "=" in line)
        return {name: value.strip("'") for name, value in pairs}


ENV = environment()


def database():
    return psycopg.connect(
        host=ENV["DB_HOST"], port=ENV["DB_PORT"], dbname=ENV["DB_NAME"], user=ENV["DB_USER"], password=ENV["DB_PASSWORD"]
    )


def broker():
    credentials = pika.PlainCredentials(ENV["QUEUE_USER"], ENV["QUEUE_PASSWORD"])
    return pika.BlockingConnection(
        pika.ConnectionParameters(
            ENV["QUEUE_HOST"], int(ENV["QUEUE_PORT"]), ENV["QUEUE_VHOST"], credentials, heartbeat=60
        )
    )


def declare(channel, queue):
    channel.queue_declare(queue=queue, durable=True)


def send(channel, queue, body):
    properties = pika.BasicProperties(delivery_mode=2)
    channel.basic_publish(exchange="", routing_key=queue, body=body, properties=properties)


def sql(path):
    with database() as connection, open(path, encoding="utf-8") as file:
        connection.execute(file.read())


def publish(path):
    with broker() as connection, open(path, encoding="utf-8") as file:
        channel = connection.channel()
        declared = set()
        for number, line in enumerate(file):
            queue, body = line.rstrip("\n").split(" ", 1)
            if number % 1000 == 0:
                connection.process_data_events()  # heartbeats
            if queue not in declared:
                declare(channel, queue)
                declared.add(queue)
            send(channel, queue, body.encode())


def share(queue, other, body):
    with broker() as connection:
        channel = connection.channel()
        for name in (queue, other):
            declare(channel, name)
        properties = pika.BasicProperties(delivery_mode=2, headers={"CC": [other]})
        channel.basic_publish(exchange="", routing_key=queue, body=body.encode(), properties=properties)


def answer(service):
    """As the contract's services answer."""
    if service in DETECTORS:
        bbox = {"x": 10, "y": 20, "width": 100, "height": 200}
        predictions = [{"label": "person", "emoji": "🧑", "confidence": 0.9, "bbox": bbox}]
    else:
        predictions = [{"label": "dog", "emoji": "🐶", "confidence": 0.7}]
    return {"service": service, "status": "success", "predictions": predictions, "metadata": {"processing_time": 0.01}}


def work(service, hold):
    tables = database()
    connection = broker()
    channel = connection.channel()
    triggered = "queue_bbox_merge" if service in DETECTORS else "queue_consensus"
    declare(channel, f"queue_{service}")
    declare(channel, triggered)
    channel.basic_qos(prefetch_count=1)

    def on_message(channel, method, _, body):
        if hold:
            print("holds one", flush=True)
            return
        job = json.loads(body)
        tables.execute(
            "INSERT INTO results (image_id, service, data, status, processing_time, worker_id)"
            " VALUES (%s, %s, %s, 'success', 0.01, 'neighbour')",
            (job["image_id"], service, json.dumps(answer(service))),
        )
        tables.commit()
        trigger = {
            "image_id": job["image_id"],
            "image_filename": job["image_filename"],
            "service": service,
            "worker_id": "neighbour",
            "processed_at": datetime.datetime.now().isoformat(),
        }
        send(channel, triggered, json.dumps(trigger))
        channel.basic_ack(delivery_tag=method.delivery_tag)

    channel.basic_consume(queue=f"queue_{service}", on_message_callback=on_message)
    signal.signal(signal.SIGTERM, lambda *_: channel.stop_consuming())
    channel.start_consuming()
    connection.close()


def take(queue):
    with broker() as connection:
        channel = connection.channel()
        declare(channel, queue)
        while True:
            method, properties, body = channel.basic_get(queue, auto_ack=True)
            if method is None:
                return
            print(json.dumps({"headers": properties.headers, "body": body.decode()}))


def decorate(queue):
    moment = datetime.datetime(2026, 11, 25, 10, 0, 0)
    headers = {
        "text": "é\"", "bytes": b"\x00\xff", "yes": True, "small": 7, "large": 2**40, "negative": -5,
        "decimal": decimal.Decimal("3.14"), "moment": moment, "nothing": None,
        "table": {"a": [1, "two", {"three": False}]}, "list": [[], {}],
        "x-death": [{"queue": "q", "reason": "expired", "count": 3, "time": moment}],
    }
    properties = pika.BasicProperties(
        content_type="text/x-other", content_encoding="utf-8", headers=headers, delivery_mode=2, priority=3,
        correlation_id="correlation", reply_to="reply", message_id="message", timestamp=1764000000, type="kind",
        app_id="neighbour", user_id=ENV["QUEUE_USER"],
    )
    with broker() as connection:
        body = json.dumps({"image_id": 1, "unknown": [1, None]})
        connection.channel().basic_publish(exchange="", routing_key=queue, body=body, properties=properties)


def look(queue):
    with broker() as connection:
        channel = connection.channel()
        while True:
            _, properties, body = channel.basic_get(queue, auto_ack=True)
            if properties is None:
                return
            members = {name: repr(value) for name, value in vars(properties).items() if name != "headers"}
            headers = {name: repr(value) for name, value in (properties.headers or {}).items()}
            print(json.dumps({"headers": headers, "properties": members, "body": body.decode()}, sort_keys=True))


def read():
    columns = {
        "images": "image_id, image_filename, image_path, image_url",
        "results": "image_id, service, data, status, processing_time, result_created, worker_id",
        "merged_boxes": "image_id, source_result_ids, merged_data, status, created, worker_id",
        "consensus": "image_id, consensus_data, processing_time, consensus_created",
        "postprocessing": "image_id, merged_box_id, service, data, status, result_created",
    }
    found = {}
    with database() as connection:
        for table, names in columns.items():
            rows = connection.execute(f"SELECT {names} FROM {table}").fetchall()
            found[table] = summary(names, rows)
    names = (
        "timestamp, worker_id, service_name, node_hostname, status, jobs_completed, jobs_per_minute, last_job_time,"
        " queue_depth, error_message"
    )
    monitoring = mysql.connector.connect(
        host=ENV["MONITORING_DB_HOST"],
        port=int(ENV["MONITORING_DB_PORT"]),
        database=ENV["MONITORING_DB_NAME"],
        user=ENV["MONITORING_DB_USER"],
        password=ENV["MONITORING_DB_PASSWORD"],
    )
    cursor = monitoring.cursor()
    cursor.execute(f"SELECT {names} FROM worker_heartbeats")
    found["worker_heartbeats"] = summary(names, cursor.fetchall())
    print(json.dumps(found))


def summary(names, rows):
    """How many rows, and of each column the types of its values."""
    types = [sorted({type(value).__name__ for value in column if value is not None}) for column in zip(*rows)]
    return {"rows": len(rows), "types": dict(zip(names.split(", "), map(" ".join, types)))}


def main():
    arguments = argparse.ArgumentParser()
    functions = (sql, publish, decorate, share, look, take, read)
    commands = {function.__name__: function for function in functions}
    arguments.add_argument("command", choices=["work", *commands])
    arguments.add_argument("names", nargs="*")
    arguments.add_argument("--hold", action="store_true")
    given = arguments.parse_args()
    if given.command == "work":
        work(*given.names, given.hold)
    else:
        commands[given.command](*given.names)


if __name__ == "__main__":
    main()
