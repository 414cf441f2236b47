"""The documentation site and what GitHub runs: files that are named are there, versions are locked."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / '.github').rglob('*.yml'))


class Loader(yaml.SafeLoader):
    """YAML with MkDocs' own tags left as text."""


Loader.add_multi_constructor('!', lambda loader, suffix, node: None)


def pages(entries) -> list[str]:
    """Files of a navigation tree."""
    found = []
    for entry in entries:
        below = next(iter(entry.values())) if isinstance(entry, dict) else entry
        found += pages(below) if isinstance(below, list) else [below]
    return found


def test_every_page_is_in_the_navigation():
    site = yaml.load((ROOT / 'mkdocs.yml').read_text(encoding='utf-8'), Loader)
    docs = ROOT / 'docs'
    files = [path for path in docs.rglob('*') if path.suffix in ('.md', '.ipynb')]
    there = [path.relative_to(docs).as_posix() for path in files]
    assert sorted(pages(site['nav'])) == sorted(there)


@pytest.mark.parametrize('page', sorted((ROOT / 'docs/api').glob('*.md')), ids=lambda page: page.stem)
def test_reference_names_modules_that_are_there(page):
    names = re.findall(r'^::: ([\w.]+)$', page.read_text(encoding='utf-8'), flags=re.MULTILINE)
    assert names
    for name in names:
        path = ROOT / name.replace('.', '/')
        assert path.with_suffix('.py').is_file() or (path / '__init__.py').is_file(), name


@pytest.mark.parametrize('path', WORKFLOWS, ids=lambda path: path.name)
def test_github_files_are_yaml_and_name_what_is_there(path):
    text = path.read_text(encoding='utf-8')
    assert yaml.safe_load(text)
    for name in re.findall(r'\b(?:tools|tests|requirements)/[\w./-]+\w', text):
        assert (ROOT / name).exists(), name


def test_hooks_use_the_locked_versions():
    text = (ROOT / '.pre-commit-config.yaml').read_text(encoding='utf-8')
    hooks = yaml.safe_load(text)['repos'][0]['hooks']
    locked = (ROOT / 'requirements/lock-tests.txt').read_text(encoding='utf-8').splitlines()
    assert all(set(hook['additional_dependencies']) <= set(locked) for hook in hooks)
    assert '.venv' not in text
