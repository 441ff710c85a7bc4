"""Celery 5, for measuring farm.

    celery -A celery_app worker -P prefork -c 16     works
    python celery_app.py IMAGES                                    submits the jobs of that many images

As Celery's documentation has it: late acknowledgement for tasks that may run twice (Tasks, "acks_late"), rejected when the
worker is lost, publisher confirms (RabbitMQ broker, "confirm_publish"), a large prefetch multiplier for short tasks
(Optimizing), nobody keeps results. Messages are persistent and queues durable, as they are by default.
"""
import sys

from celery import Celery
from gevent.monkey import is_module_patched

import job

app = Celery("others", broker=f"pyamqp://{job.BROKER}")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=64,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
    # With gevent, Celery 5.7 waits 100 ms for events about heartbeats after each message if there are any, and does 20 jobs/s.
    broker_heartbeat=0 if is_module_patched("socket") else 120,
)


@app.task(name="analyse")
def analyse(image_id, url, service):
    job.perform(image_id, url, service)


if __name__ == "__main__":
    # One connection for all, as the documentation has it for many tasks at a time.
    with app.producer_pool.acquire(block=True) as producer:
        for arguments in job.jobs(int(sys.argv[1])):
            analyse.apply_async(arguments, producer=producer)
