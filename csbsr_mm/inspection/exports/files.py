"""Text and JSON files of exports, whole or not there."""

from __future__ import annotations

import json
from pathlib import Path

from csbsr_mm.utils.atomic_file import write_atomically


def write_text(target: Path, text: str) -> None:
    """Write a text as UTF-8."""
    write_atomically(target, text.encode(), durable=False)


def write_json(target: Path, content: object) -> None:
    """Write JSON on one line."""
    write_text(target, json.dumps(content, ensure_ascii=False, allow_nan=False) + '\n')
