"""One style of docstrings: entries of Args, Attributes and Raises are sentences that begin with a capital."""

import ast
import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / 'csbsr_mm'
SECTIONS = ('Args:', 'Attributes:', 'Raises:')
ENTRY = re.compile(r'[*\w.`, ]+?(?: \([^)]*\))?: (.+)')


def documented(source: str) -> list[tuple[str, str]]:
    """Name and docstring of everything that has one."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    found = [(getattr(node, 'name', 'module'), ast.get_docstring(node)) for node in nodes]
    return [(name, docstring) for name, docstring in found if docstring]


def entries(docstring: str) -> list[str]:
    """Entries of the three sections, each on one line."""
    found, inside, indent = [], False, 0
    for line in docstring.splitlines():
        depth = len(line) - len(line.lstrip())
        if not line.strip():
            continue
        if depth == 0:
            inside, indent = line.strip() in SECTIONS, 0
        elif inside:
            indent = indent or depth
            if depth == indent:
                found.append(line.strip())
            else:
                found[-1] += ' ' + line.strip()
    return found


def offences(source: str) -> list[str]:
    """What is not in the style: no description, a small letter at its beginning, no full stop at its end."""
    wrong = []
    for name, docstring in documented(source):
        for entry in entries(docstring):
            described = ENTRY.fullmatch(entry)
            if not described or 'a' <= described[1][0] <= 'z' or not entry.endswith('.'):
                wrong.append(f'{name}: {entry}')
    return wrong


ROOMS = {path.name for path in ROOT.iterdir() if any(path.glob('*.py'))}


@pytest.mark.parametrize('folder', sorted(ROOMS))
def test_entries_are_sentences(folder):
    files = sorted((ROOT / folder).rglob('*.py'))
    wrong = {str(path.relative_to(ROOT)): offences(path.read_text(encoding='utf-8')) for path in files}
    assert not {name: found for name, found in wrong.items() if found}


def test_the_rule_sees_what_is_wrong():
    source = textwrap.dedent(
        '''
        def good(image, *masks):
            """Sum.

            Args:
                image: (H, W), any type; a description
                    of two lines.
                *masks: Each (H, W).

            Raises:
                ValueError: Sizes differ.
            """

        def bad(image, mask, ignore):
            """Sum.

            Args:
                image: the image.
                mask: No full stop
                ignore
            """
        '''
    )
    assert offences(source) == ['bad: image: the image.', 'bad: mask: No full stop', 'bad: ignore']
