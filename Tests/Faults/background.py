"""One asyncio loop in a thread of its own: proxies and doubles run in it, the fault runner tells it what to do."""

import asyncio
import threading


class Background:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="network", daemon=True).start()

    def run(self, coroutine):
        """Runs a coroutine there and returns what it returns. None takes long: they only say how things are from now on."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)


async def end(tasks):
    """Cancels tasks and waits for their end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
