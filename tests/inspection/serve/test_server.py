"""The server itself, over a socket."""

import http.client
import socket
import threading
import time

import pytest
from helpers.dark_backend import DarkBackend

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.cli import main
from csbsr_mm.inspection.serve import server as module
from csbsr_mm.inspection.serve.app import App
from csbsr_mm.inspection.serve.limits import Limits
from csbsr_mm.inspection.serve.session import Session


@pytest.fixture
def running(tmp_path):
    session = Session(tmp_path, lambda: CrackInferencer(DarkBackend()), Limits(upload_bytes=1000))
    with module.Server('127.0.0.1', 0, App(session, 'secret')) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
    session.close()


def ask(server, path, method='GET', body=None):
    connection = http.client.HTTPConnection(*server.server_address, timeout=20)
    connection.request(method, path, body)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply, content


def test_page(running):
    reply, content = ask(running, '/secret/')
    assert reply.status == 200
    assert b'Drop photos here' in content
    assert 'Python' not in reply.headers['Server']
    assert ask(running, '/')[0].status == 403


def test_refused_upload_is_answered(running):
    """Not cut off while the browser still sends."""
    reply, content = ask(running, '/secret/photos', 'POST', b'x' * 2_000_000)
    assert reply.status == 413
    assert b'larger than' in content


def test_what_is_no_photo_is_answered_at_once(running):
    """Nothing waits for more than was announced."""
    start = time.monotonic()
    reply, _ = ask(running, '/secret/photos', 'POST', b'no photo')
    assert reply.status == 415
    assert time.monotonic() - start < 10


def test_only_this_computer_by_default(running):
    assert running.server_address[0] == '127.0.0.1'


def test_connections_are_limited(running, monkeypatch):
    places = threading.BoundedSemaphore(2)
    monkeypatch.setattr(running, '_places', places)
    idle = [socket.create_connection(running.server_address) for _ in range(2)]
    for connection in idle:
        connection.sendall(b'GET /secret/ HTTP/1.0\r\n')
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(running, '/secret/')
    for connection in idle:
        connection.sendall(b'\r\n')
        assert connection.makefile('rb').readline().split()[1] == b'200'
        connection.close()
    assert all(places.acquire(timeout=10) for _ in idle)  # both have made room


def test_port_in_use(running, capsys, monkeypatch):
    monkeypatch.setattr('signal.signal', lambda *words: None)
    assert main(['serve', '--port', str(running.server_port)]) == 2
    said = capsys.readouterr().err
    assert f'cannot listen at 127.0.0.1, port {running.server_port}' in said
    assert '--port names another' in said


def test_everything_is_deleted_in_the_end(monkeypatch, tmp_path):
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    addresses, found = [], []

    def stop(self, poll_interval):
        del poll_interval
        found.extend(tmp_path.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(module.Server, 'serve_forever', stop)
    with pytest.raises(KeyboardInterrupt):
        module.serve(lambda: None, port=0, ready=addresses.append)
    assert addresses[0].startswith('http://127.0.0.1:')
    assert len(addresses[0].split('/')[3]) >= 32
    assert len(found) == 1
    assert not list(tmp_path.iterdir())
