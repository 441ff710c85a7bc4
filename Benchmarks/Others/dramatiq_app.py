"""Dramatiq, for measuring farm.

    dramatiq dramatiq_app --processes 2 --threads 8     works
    python dramatiq_app.py IMAGES                       submits the jobs of that many images

As its documentation has it: messages are acknowledged after the actor has ended (always so), publisher confirms
(`confirm_delivery`), its usual middleware, its usual prefetch (two a thread), no result backend.
"""
import sys

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

import job

broker = RabbitmqBroker(url=f"amqp://{job.BROKER}", confirm_delivery=True)
dramatiq.set_broker(broker)


@dramatiq.actor
def analyse(image_id, url, service):
    job.perform(image_id, url, service)


if __name__ == "__main__":
    for arguments in job.jobs(int(sys.argv[1])):
        analyse.send(*arguments)
    broker.close()
