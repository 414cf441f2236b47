"""A page in a real browser, where there is one."""

import shutil
import subprocess

import pytest

CHROMIUM = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason='no chromium here; apt-get install chromium')


def dump_dom(address, budget=8000, width=1280, height=900):
    """The page's elements as HTML after its scripts ran for so many milliseconds.

    Chromium sometimes hangs after it has written everything; then it is ended.
    """
    command = [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', f'--virtual-time-budget={budget}']
    command += [f'--window-size={width},{height}', '--dump-dom', address]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except subprocess.TimeoutExpired as error:
        written = (error.stdout or b'').decode()
        if not written.rstrip().endswith('</html>'):
            raise
        return written
