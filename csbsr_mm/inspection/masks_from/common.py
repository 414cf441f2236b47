"""What the readers of all formats share."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

UPLOAD = re.compile(r'^[0-9a-f]{8}-')
"""What Label Studio puts before the name of an uploaded file."""


def load_json(path: Path) -> object:
    """The content of a JSON file.

    Raises:
        ValueError: It is none.
    """
    try:
        return json.loads(path.read_text(encoding='utf-8-sig'))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f'{path} is no JSON ({error})') from error


def wanted_labels(path: Path, label: str, used: Collection[str]) -> set[str]:
    """The spellings of a label in a file.

    Args:
        path: The file.
        label: The label, in upper or lower case.
        used: Labels of its shapes.

    Raises:
        ValueError: There are shapes, and none has this label.
    """
    found = {name for name in used if name.lower() == label.lower()}
    if used and not found:
        raise ValueError(f'{path} has no label {label!r}, but {", ".join(sorted(used))}; choose with --label')
    return found


def file_name(address: str) -> str:
    """The file of a photo, without folders, from a path or an address.

    Example:
        >>> file_name('/data/local-files/?d=wall%203/a.jpg'), file_name('/data/upload/1/12ab34cd-a.jpg')
        ('a.jpg', 'a.jpg')
        >>> file_name('s3://bucket/a.jpg?signed=1'), file_name('photos\\\\a #1.jpg')
        ('a.jpg', 'a #1.jpg')
    """
    path = address
    if '://' in address or address.startswith('/data/'):
        parts = urlsplit(address)
        path = parse_qs(parts.query).get('d', [unquote(parts.path)])[0]
    name = re.split(r'[/\\]', path)[-1]
    if '/upload/' in address:
        name = UPLOAD.sub('', name)
    if name.strip('. ') == '':
        raise ValueError(f'{address!r} names no photo')
    return name
