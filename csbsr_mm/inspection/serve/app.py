"""The routes of the page, as a WSGI application."""

from __future__ import annotations

import hmac
import json
import math
import os
import re
import secrets
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qs, quote, unquote

from .limits import Refused
from .session import Session

TEMPLATES = Path(__file__).parents[1] / 'report' / 'templates'
STATIC = {
    '': ('serve.html', 'text/html; charset=utf-8'),
    'report.css': ('report.css', 'text/css; charset=utf-8'),
    'serve.css': ('serve.css', 'text/css; charset=utf-8'),
    'serve.js': ('serve.js', 'text/javascript; charset=utf-8'),
}
SECURITY = [
    (
        'Content-Security-Policy',
        "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ('X-Content-Type-Options', 'nosniff'),
    ('Referrer-Policy', 'no-referrer'),
    ('Cross-Origin-Resource-Policy', 'same-origin'),
    ('Cache-Control', 'no-store'),
    # Instead of the versions that wsgiref would tell.
    ('Server', 'csbsr'),
]
REASONS = {
    200: 'OK',
    202: 'Accepted',
    308: 'Permanent Redirect',
    400: 'Bad Request',
    403: 'Forbidden',
    404: 'Not Found',
    405: 'Method Not Allowed',
    409: 'Conflict',
    411: 'Length Required',
    413: 'Content Too Large',
    415: 'Unsupported Media Type',
    429: 'Too Many Requests',
    500: 'Internal Server Error',
}
LARGEST_QUESTION = 4096
BLOCK, UNREAD = 1 << 16, 8_000_000
MEASURING = 2
JSON_TYPE, TEXT = 'application/json', 'text/plain; charset=utf-8'

Answer = tuple[int, str, bytes | BinaryIO, list[tuple[str, str]]]


class App:
    """The page, its photos and exports.

    Everything lies below a secret part of the address. Another page in the browser, another user of the
    computer, or a name that was made to point here cannot know it. It is compared in constant time.

    Args:
        session: The photos.
        secret: The secret part; a random one by default.
    """

    def __init__(self, session: Session, secret: str | None = None) -> None:
        self.session = session
        self.secret = secret or secrets.token_urlsafe(24)
        # Measuring takes seconds and much memory; more requests at a time wait.
        self._measuring = threading.BoundedSemaphore(MEASURING)
        self._routes: list[tuple[str, re.Pattern, Callable[..., Answer]]] = [
            ('GET', re.compile(r'(|[a-z]+\.(?:css|js))'), self._static),
            ('GET', re.compile(r'limits'), self._limits),
            ('GET', re.compile(r'photos'), self._list),
            ('POST', re.compile(r'photos'), self._add),
            ('DELETE', re.compile(r'photos/([0-9]{1,9})'), self._remove),
            ('POST', re.compile(r'photos/([0-9]{1,9})/measure'), self._measure),
            ('GET', re.compile(r'photos/([0-9]{1,9})/image/([a-z]+)'), self._image),
            ('GET', re.compile(r'photos/([0-9]{1,9})/export/([a-z]+\.[a-z]+)'), self._export),
        ]

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        sent = _Body(environ)
        try:
            status, kind, body, headers = self._answer({**environ, 'wsgi.input': sent})
        except Refused as refused:
            with suppress(OSError):
                sent.drain()
            status, kind, body, headers = _json(refused.status, {'error': refused.reason})
        except Exception:
            traceback.print_exc(file=sys.stderr)
            status, kind, body, headers = _json(500, {'error': 'the server failed; see the terminal'})
        length = len(body) if isinstance(body, bytes) else os.fstat(body.fileno()).st_size
        start_response(
            f'{status} {REASONS[status]}',
            [('Content-Type', kind), ('Content-Length', str(length)), *headers, *SECURITY],
        )
        return [body] if isinstance(body, bytes) else _blocks(body)

    def _answer(self, environ: dict[str, Any]) -> Answer:
        _, secret, *rest = f'{environ.get("PATH_INFO", "")}/'.split('/', 2)
        if not hmac.compare_digest(secret.encode('latin-1', 'replace'), self.secret.encode('ascii')):
            raise Refused(403, 'open the link that csbsr serve printed')
        if not environ['PATH_INFO'][len(self.secret) + 1 :]:
            return 308, TEXT, b'', [('Location', f'/{quote(self.secret)}/')]
        path = rest[0][:-1]
        method = environ['REQUEST_METHOD']
        found = [
            (verb, handler, match)
            for verb, route, handler in self._routes
            if (match := route.fullmatch(path))
        ]
        for verb, handler, match in found:
            if verb == method:
                return handler(environ, *match.groups())
        raise Refused(405, 'not in this way') if found else Refused(404, 'there is no such page')

    def _static(self, environ: dict[str, Any], name: str) -> Answer:
        del environ
        if name not in STATIC:
            raise Refused(404, 'there is no such page')
        file, kind = STATIC[name]
        return 200, kind, (TEMPLATES / file).read_bytes(), []

    def _limits(self, environ: dict[str, Any]) -> Answer:
        del environ
        limits = self.session.limits
        return _json(200, dict(upload_bytes=limits.upload_bytes, pixels=limits.pixels, photos=limits.photos))

    def _list(self, environ: dict[str, Any]) -> Answer:
        del environ
        return _json(200, [photo.described() for photo in self.session.photos()])

    def _add(self, environ: dict[str, Any]) -> Answer:
        title = unquote(environ.get('HTTP_X_FILE_NAME', ''), errors='replace')
        photo = self.session.add(environ['wsgi.input'], environ.get('CONTENT_LENGTH'), title)
        return _json(202, photo.described())

    def _remove(self, environ: dict[str, Any], number: str) -> Answer:
        del environ
        self.session.remove(int(number))
        return _json(200, {})

    def _measure(self, environ: dict[str, Any], number: str) -> Answer:
        photo = self.session.photo(int(number))
        asked = _question(environ)
        with self._measuring:
            photo.measure(**asked)
        return _json(200, photo.described())

    def _image(self, environ: dict[str, Any], number: str, kind: str) -> Answer:
        del environ
        file, media_type = self.session.photo(int(number)).image(kind)
        return 200, media_type, file, []

    def _export(self, environ: dict[str, Any], number: str, name: str) -> Answer:
        photo = self.session.photo(int(number))
        given = parse_qs(environ.get('QUERY_STRING', '')).get('mm_per_pixel', [''])[0]
        with self._measuring:
            file, kind = photo.export(name, _number(given, 'mm_per_pixel') if given else None)
        # Never shown on this page's own origin.
        return 200, kind, file, [('Content-Disposition', f'attachment; filename="{name}"')]


def _question(environ: dict[str, Any]) -> dict[str, float]:
    """The settings that a request asks for.

    Raises:
        Refused: It is too long (413), or no JSON object of known names and numbers (400).
    """
    length = environ.get('CONTENT_LENGTH') or '0'
    if not (length.isascii() and length.isdigit()) or len(length) > 9 or int(length) > LARGEST_QUESTION:
        raise Refused(413, 'the question is too long')
    try:
        content = json.loads(environ['wsgi.input'].read(int(length)) or b'{}')
    except (ValueError, RecursionError) as error:
        raise Refused(400, 'the question is no JSON') from error
    names = ('threshold', 'min_length')
    if not isinstance(content, dict) or not set(content) <= set(names):
        raise Refused(400, f'the question may hold {" and ".join(names)}')
    return {name: _number(value, name) for name, value in content.items()}


def _number(value: object, name: str) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise Refused(400, f'{name} must be a number')
    return number


class _Body:
    """The body of a request, which ends where its announced length says.

    Args:
        environ: The request.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        length = environ.get('CONTENT_LENGTH') or ''
        self._stream = environ['wsgi.input']
        self._left = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else 0

    def read(self, count: int) -> bytes:
        """At most so many bytes; none at the end."""
        block = self._stream.read(min(count, self._left)) if self._left > 0 else b''
        self._left = self._left - len(block) if block else 0
        return block

    def drain(self) -> None:
        """Read what was sent and is not wanted, up to a limit; browsers hide answers that come before."""
        unread = UNREAD
        while unread > 0 and (block := self.read(min(unread, BLOCK))):
            unread -= len(block)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while block := file.read(BLOCK):
            yield block


def _json(status: int, content: object) -> Answer:
    return status, JSON_TYPE, json.dumps(content, allow_nan=False).encode(), []
