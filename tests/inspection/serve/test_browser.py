"""The page in a real browser, under its own content security policy."""

import io
import re
import threading
import time

import numpy as np
import pytest
from helpers.browser import dump_dom, needs_browser
from helpers.dark_backend import DarkBackend
from PIL import Image

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.inspection.serve.app import App
from csbsr_mm.inspection.serve.server import Server
from csbsr_mm.inspection.serve.session import Session

EVIL = '<img src=x onerror=document.title="evil">.png'


@pytest.fixture
def address(tmp_path):
    """A page with a photo that is done."""
    session = Session(tmp_path, lambda: CrackInferencer(DarkBackend(2), threshold=0.5))
    pixels = np.full((60, 100, 3), 200, np.uint8)
    pixels[30:34, 10:90] = 10
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, 'PNG')
    length = str(file.tell())
    file.seek(0)
    photo = session.add(file, length, EVIL)
    while photo.state not in ('done', 'failed'):
        time.sleep(0.05)
    with Server('127.0.0.1', 0, App(session, 'secret')) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}/secret/'
        server.shutdown()
        thread.join()
    session.close()


@needs_browser
def test_what_the_page_shows(address):
    dom = dump_dom(address)
    assert re.search(r'<b>1 <small></small></b><span>cracks</span>', dom)
    assert re.search(r'<b>(3\.9|4\.0)\d <small>px</small></b><span>widest</span>', dom)
    assert 'up to 64 MB and 25 megapixels each' in dom
    assert '<title>csbsr: cracks in photos</title>' in dom
    assert '&lt;img src=x' in dom
    # Drawn: the canvas has the size of the picture.
    assert re.search(r'<canvas[^>]* width="200" height="120"', dom)
    assert dom.count('/export/') == 6
