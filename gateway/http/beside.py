"""An ASGI application served beside the gateway: a free loopback port, a thread, a loop of its own.

For the simulated upstream: calls to it cross a real socket, as they would to a real one.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from gateway.http.server import listen

LOOPBACK = "127.0.0.1"
STOP_SECONDS = 5.0


@contextmanager
def beside(app: Callable[..., Any]) -> Iterator[str]:
    """Serve `app` while the context lasts; gives its URL, such as `http://127.0.0.1:40123`."""
    listener = listen(LOOPBACK, 0)
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="beside", daemon=True
    )
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{port}"
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS)
        listener.close()
