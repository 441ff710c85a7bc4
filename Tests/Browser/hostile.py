"""Texts that other people decide: names of files and groups, labels, messages. Each tries to become markup."""

import datetime
import json
import sqlite3

# What a page shows of them is text. `hacked` is what they would set.
PAYLOADS = [
    "<script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "'\"></title></textarea></select><svg onload=window.hacked=1>",
    # A quotation mark with a combining mark is one Character, and ends an attribute all the same.
    '"\u0301 onmouseover="window.hacked=1" x="',
    "' onfocus='window.hacked=1' autofocus x='",
    "<a href=\"javascript:window.hacked=1\">x</a>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'>",
    "<style>*{display:none}</style><base href=//example.org/>",
    "<meta http-equiv=refresh content='0;url=javascript:window.hacked=1'>",
    "--><!--<form action=//example.org/><input name=token>",
    "&lt;script&gt;window.hacked=1&lt;/script&gt;",
    "{{constructor.constructor('window.hacked=1')()}}${window.hacked=1}",
    "\u202egnp.1=dekcah\u202c<b>",
]

# A name of a file has no slash and at most 255 bytes.
FILE_NAMES = [payload.replace("/", "\u2215") + " hostile.jpg" for payload in PAYLOADS]
GROUP = PAYLOADS[1]


def predictions(number):
    """A detector's answer whose labels are hostile."""
    texts = [PAYLOADS[(number + step) % len(PAYLOADS)] for step in range(2)]
    return [
        {
            "label": text,
            "emoji": text if step else "🧑",
            "confidence": 0.9 - step / 10,
            "bbox": {"x": 20 + 90 * step, "y": 30, "width": 80, "height": 120},
            text: text,
        }
        for step, text in enumerate(texts)
    ]


def seed_rows(database):
    """Rows of other programs: dead letters, and heartbeats of workers elsewhere."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.000")
    with sqlite3.connect(database, timeout=30) as connection:
        for number, text in enumerate(PAYLOADS):
            job = {"image_id": number + 1, "job_id": f"{number:08x}-0000-4000-8000-000000000000", "service_name": "blip"}
            job["image_filename"] = text
            connection.execute(
                "INSERT INTO farm_dead (queue, body, reason, message, tries, worker_id, first_failure, dead_since)"
                " VALUES ('queue_blip', CAST(? AS BLOB), ?, ?, 3, ?, ?, ?)",
                (json.dumps(job), "timeout" if number % 2 else text, text, text, now, now),
            )
            connection.execute(
                "INSERT INTO worker_heartbeats (timestamp, worker_id, service_name, node_hostname, status,"
                " jobs_completed, jobs_per_minute, last_job_time, queue_depth, error_message)"
                " VALUES (?, ?, ?, ?, ?, 3, 1.5, ?, 0, ?)",
                (now, text[:50], "clip" if number % 2 else text[:50], text[:50], "error" if number % 3 else "running", now, text),
            )
    connection.close()
