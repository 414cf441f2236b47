"""A function fits a screen, and a file is one subject that a reader takes in at one go."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1] / 'csbsr_mm'
MOST_LINES_OF_A_FILE, MOST_LINES_OF_A_FUNCTION, LEAST_LINES = 400, 60, 30
# Files may be shorter for a reason.
SHORT = {
    '__main__.py': 'Python runs it',
    'version.py': 'setup.py reads it without importing the package',
    'cli/*.py': 'one sub-command a file',
    'datasets/keyed_drive_dataset.py': 'one registered component a file',
    'datasets/preparation/*.py': 'one public data set a file',
    'engine/atomic_backend.py': 'needs MMEngine, unlike what it wraps',
    'functional/_numba.py': 'all compiled kernels are reached through it',
    'inspection/exports/*.py': 'one format a file, and what they share',
    'models/losses/centerline_losses.py': 'registers losses that know nothing of a registry',
    'models/official_checkpoints/*_rules*.py': 'one published model a file',
    'models/sr/identity.py': 'one registered component a file',
    'models/utils/segmentation_result.py': 'two segmentors share it',
}
FILES = sorted(path for path in ROOT.rglob('*.py') if path.name != '__init__.py')


def long_functions(source: str) -> list[str]:
    """Names and lengths of functions whose code, without its docstring, is too long."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            documented = ast.get_docstring(node) is not None
            begin = node.body[0].end_lineno if documented else node.lineno - 1
            if node.end_lineno - begin > MOST_LINES_OF_A_FUNCTION:
                found.append(f'{node.name}: {node.end_lineno - begin}')
    return found


def test_files_are_neither_long_nor_fragments():
    wrong = []
    for path in FILES:
        name, lines = path.relative_to(ROOT), len(path.read_text(encoding='utf-8').splitlines())
        is_short = lines < LEAST_LINES and not any(name.match(pattern) for pattern in SHORT)
        if is_short or lines > MOST_LINES_OF_A_FILE:
            wrong.append(f'{name}: {lines} lines')
    assert not wrong


def test_no_exception_is_stale():
    assert not [pattern for pattern in SHORT if not list(ROOT.glob(pattern))]


def test_functions_fit_a_screen():
    found = {str(path.relative_to(ROOT)): long_functions(path.read_text(encoding='utf-8')) for path in FILES}
    assert not {name: functions for name, functions in found.items() if functions}


def test_the_rule_counts_code_and_not_docstrings():
    code = '\n'.join(['    x = 1'] * 61)
    assert long_functions(f'def f():\n{code}\n') == ['f: 62']
    prose = '    """Title.\n\n' + '\n'.join(['    Prose.'] * 80) + '\n    """\n'
    assert long_functions(f'def f():\n{prose}    return 1\n') == []
