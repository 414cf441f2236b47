"""The list of mutations stays up to date, and the check tells a survivor from one that is caught."""

import pytest
from helpers.tools import TOOLS, load_tool

tool = load_tool('mutation_check')
Mutation = tool.Mutation


@pytest.mark.parametrize('mutation', tool.MUTATIONS, ids=lambda mutation: mutation.old[:40])
def test_mutation_is_found_once_with_its_tests(mutation):
    tool.place_of(TOOLS.parent, mutation)
    assert tool.tests_of(TOOLS.parent, mutation)[0].startswith('tests/')
    assert mutation.old != mutation.new


def out_of_time(command, timeout, **_):
    raise tool.subprocess.TimeoutExpired(command, timeout)


def test_survivors_are_told(tmp_path, monkeypatch):
    (tmp_path / 'csbsr_mm').mkdir()
    (tmp_path / 'tests').mkdir()
    (tmp_path / 'csbsr_mm' / '__init__.py').write_text('def add(a, b):\n    return a + b\n')
    test = 'from csbsr_mm import add\n\ndef test_zero():\n    assert add(2, 0) == 2\n\n'
    test += 'def test_sum():\n    assert add(2, 3) == 5\n'
    (tmp_path / 'tests' / 'test_add.py').write_text(test)
    for tests, verdict in (
        ('test_add.py', 'caught'),
        ('test_add.py -k zero', 'SURVIVED'),
        ('test_add.py -k none', 'no tests'),
    ):
        assert tool.judge(tmp_path, Mutation('a + b', 'a - b', tests), 60) == verdict
    assert 'a + b' in (tmp_path / 'csbsr_mm' / '__init__.py').read_text()
    monkeypatch.setattr(tool.subprocess, 'run', out_of_time)
    assert tool.judge(tmp_path, Mutation('a + b', 'a - b', 'test_add.py'), 60) == 'hung'
    with pytest.raises(ValueError, match='0 times'):
        tool.place_of(tmp_path, Mutation('a * b', '', 'test_add.py'))
