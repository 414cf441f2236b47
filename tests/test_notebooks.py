"""The code of the notebooks runs from top to bottom."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / 'docs' / 'notebooks').glob('*.ipynb'))


def cells(path: Path, kind: str) -> list[str]:
    notebook = json.loads(path.read_text(encoding='utf-8'))
    return [''.join(cell['source']) for cell in notebook['cells'] if cell['cell_type'] == kind]


def test_there_are_two():
    assert [path.stem for path in NOTEBOOKS] == ['own_loop', 'photos_to_report']


@pytest.mark.slow
@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_code_runs(path, tmp_path):
    lines = [line for cell in cells(path, 'code') for line in cell.splitlines()]
    script = '\n'.join(line for line in lines if not line.startswith('%%'))
    (tmp_path / 'notebook.py').write_text(script, encoding='utf-8')
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', 'notebook.py'],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_links_and_outputs(path):
    notebook = json.loads(path.read_text(encoding='utf-8'))
    for link in re.findall(r'\]\(([^)#\s]+)\)', '\n'.join(cells(path, 'markdown'))):
        assert '://' in link or (path.parent / link).is_file(), link
    outputs = [output for cell in notebook['cells'] for output in cell.get('outputs', [])]
    assert outputs
    assert not any(output['output_type'] == 'error' for output in outputs)
