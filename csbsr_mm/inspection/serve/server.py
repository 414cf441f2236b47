"""Start and stop the page's server."""

from __future__ import annotations

import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from csbsr_mm.apis import CrackInferencer

from .app import App
from .limits import Limits
from .session import Session

CONNECTIONS = 32
SILENCE = 60.0
"""Seconds after which a connection on which nothing happens is closed."""


class _Handler(WSGIRequestHandler):
    timeout = SILENCE

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the address holds the secret."""


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """A thread for each connection, and a limit on their number.

    Args:
        host: Address to listen at.
        port: Port; 0 takes a free one.
        app: What answers.

    Raises:
        OSError: The port is in use, or the address is not this computer's; the message says so.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, app: App) -> None:
        self.address_family = socket.AF_INET6 if ':' in host else socket.AF_INET
        self._places = threading.BoundedSemaphore(CONNECTIONS)
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise OSError(f'cannot listen at {host}, port {port}: {error}; --port names another') from error
        self.set_app(app)

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which can take long."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread if there is a place for it; else hang up."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away is no error worth a word; the application reports its own."""


def serve(
    load: Callable[[], CrackInferencer],
    host: str = '127.0.0.1',
    port: int = 8000,
    limits: Limits | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Run the page until it is interrupted; then everything that was uploaded is deleted.

    Args:
        load: Loads the model.
        host: Address to listen at; the default is reached from this computer only.
        port: Port; 0 takes a free one.
        limits: What is accepted.
        ready: Called with the page's address, secret included.

    Raises:
        OSError: The port is in use, or the address is not this computer's.
    """
    with tempfile.TemporaryDirectory(prefix='csbsr-serve-', ignore_cleanup_errors=True) as root:
        session = Session(Path(root), load, limits)
        try:
            app = App(session)
            with Server(host, port, app) as server:
                if ready is not None:
                    shown = f'[{host}]' if ':' in host else host
                    ready(f'http://{shown}:{server.server_port}/{app.secret}/')
                server.serve_forever(poll_interval=0.2)
        finally:
            session.close()
