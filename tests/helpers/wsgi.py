"""A client for WSGI applications, checked against the standard by wsgiref's validator."""

import io
import json
from dataclasses import dataclass
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator


@dataclass
class Reply:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


def ask(app, path, method='GET', body=b'', query='', length=..., **headers):
    """Send a request and read the whole answer; ``length`` announces another length than the body's."""
    environ = {'REQUEST_METHOD': method, 'PATH_INFO': path, 'QUERY_STRING': query, 'SCRIPT_NAME': ''}
    setup_testing_defaults(environ)
    announced = str(len(body)) if length is ... else length
    if announced is not None:
        environ['CONTENT_LENGTH'] = announced
    environ['wsgi.input'] = io.BytesIO(body)
    environ |= {f'HTTP_{name.upper()}': value for name, value in headers.items()}
    answer = {}

    def start_response(status, fields, exc_info=None):
        answer.update(status=int(status.split()[0]), headers=dict(fields))
        return lambda data: None

    # The validator asserts what servers let through.
    valid = announced is None or announced == '' or (announced.isascii() and announced.isdigit())
    parts = (validator(app) if valid and len(announced or '') < 4000 else app)(environ, start_response)
    try:
        content = b''.join(parts)
    finally:
        getattr(parts, 'close', lambda: None)()
    assert int(answer['headers']['Content-Length']) == len(content)
    return Reply(**answer, body=content)
