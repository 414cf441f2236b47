"""The report's runner on parts of its own; the real parts are rehearsed by ``gpu_report.sh --rehearse``."""

import json

from helpers.tools import load_tool

tool = load_tool('gpu_report')


def test_parts_end_as_they_do_and_are_not_repeated(tmp_path, monkeypatch):
    parts = [
        tool.Part('good', ['-c', 'print("figures")'], 0.5),
        tool.Part('bad', ['-c', 'raise SystemExit(3)'], 0.5),
        tool.Part('long', ['-c', 'import time; time.sleep(60)'], 0.01),
    ]
    monkeypatch.setattr(tool, 'rehearsal_parts', lambda out: parts)
    arguments = ['--rehearse', '--out', str(tmp_path), '--minutes', '2']
    assert tool.main(arguments) == 1
    rows = {row['name']: row for row in json.loads((tmp_path / 'report.json').read_text())}
    assert {name: row['status'] for name, row in rows.items()} == dict(
        good='done', bad='failed', long='cut off'
    )
    assert rows['long']['seconds'] < 30
    assert 'figures' in (tmp_path / 'report.md').read_text()
    (tmp_path / 'good.log').write_text('kept')
    tool.main([*arguments, '--parts', 'good'])
    assert (tmp_path / 'good.log').read_text() == 'kept'


def test_parts_name_files_that_exist(tmp_path):
    for part in [*tool.full_parts(tmp_path, 'DATA'), *tool.rehearsal_parts(tmp_path)]:
        for word in part.command:
            if word.startswith(('tools/', 'configs/', 'tests/')):
                assert (tool.ROOT / word).exists(), word


def test_unknown_parts_are_named(tmp_path, capsys):
    assert tool.main(['--out', str(tmp_path), '--parts', 'nonsense']) == 2
    assert 'no part nonsense; there are environment' in capsys.readouterr().err


def test_rehearsal_of_the_quick_parts(tmp_path):
    """Commands, files and report as on a GPU; `newest.yml` rehearses all parts."""
    assert tool.main(['--rehearse', '--out', str(tmp_path), '--parts', 'sweep', 'distance']) == 0
    rows = json.loads((tmp_path / 'report.json').read_text())
    assert {row['name']: row['status'] for row in rows} == dict(sweep='done', distance='done')
    assert json.loads((tmp_path / 'sweep.json').read_text())
    assert '## sweep' in (tmp_path / 'report.md').read_text()
