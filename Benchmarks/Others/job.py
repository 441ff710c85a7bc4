"""What a job is, for programs that measure other task queues beside farm: one GET to the service, one row of `results`.

Each worker, be it a process, a thread or a greenlet, has a kept HTTP connection and one to PostgreSQL; a commit a row. The
variables are farm's own, and SERVICE_URL, to which the service's name is added.
"""
import os
import queue
import uuid

import psycopg
import requests

SERVICES = ("colors", "detectron2", "yolov8", "nsfw2", "ocr", "blip", "clip", "inception_v3", "rtdetr", "metadata", "ollama")
BROKER = "{QUEUE_USER}:{QUEUE_PASSWORD}@{QUEUE_HOST}:{QUEUE_PORT}/{QUEUE_VHOST}".format_map(os.environ)
INSERT = (
    "INSERT INTO results (image_id, service, data, status, processing_time, worker_id, job_id)"
    " VALUES (%s, %s, %s::jsonb, %s, %s, %s, %s)"
)


class Connections:
    """What one worker has of its own."""

    def __init__(self):
        self.service = requests.Session()
        self.service.trust_env = False  # else requests looks for proxies and .netrc at each call
        self.database = psycopg.connect(
            host=os.environ["DB_HOST"], port=os.environ["DB_PORT"], dbname=os.environ["DB_NAME"], user=os.environ["DB_USER"],
            password=os.environ["DB_PASSWORD"], sslmode=os.environ["DB_SSLMODE"], autocommit=True)


# Greenlets of Celery's pool live as long as one task, so that connections cannot be theirs. They are made when a task finds
# none left: in each process after it has been forked, and as many as work at the same time.
idle = queue.LifoQueue()


def perform(image_id, url, service):
    """Calls the service and stores its answer."""
    try:
        own = idle.get_nowait()
    except queue.Empty:
        own = Connections()
    answer = own.service.get(f"{os.environ['SERVICE_URL']}/{service}", params={"url": url}, timeout=30)
    answer.raise_for_status()
    json = answer.json()
    own.database.execute(
        INSERT,
        (image_id, service, answer.text, json["status"], json["metadata"]["processing_time"], "others", uuid.uuid4()))
    idle.put(own)


def jobs(images):
    """All jobs of that many images, image by image."""
    for image_id in range(1, images + 1):
        for service in SERVICES:
            yield image_id, f"http://nas.local/coco2017/{image_id}.jpg", service
