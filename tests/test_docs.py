"""Every Python block of the README and the docs runs, page by page, in a folder of its own."""

import re
from pathlib import Path

import pytest
from helpers.stand_ins import take_the_place_of_what_is_missing

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').glob('*.md'))]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_python_blocks_run(page, tmp_path, monkeypatch):
    mktestdocs = pytest.importorskip('mktestdocs')
    if page.name == 'in_your_codebase.md':
        for package in ('torchmetrics', 'lightning'):
            pytest.importorskip(package, reason=f'{package} is not installed; the page needs it')
        take_the_place_of_what_is_missing(monkeypatch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    mktestdocs.check_md_file(page, memory=True)


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = re.sub(r'```.*?```', '', page.read_text(), flags=re.DOTALL)
    links = re.findall(r'\]\(([^)#\s]+)(?:#[^)]*)?\)', text) + re.findall(r'src="([^"]+)"', text)
    local = [link for link in links if '://' not in link and not link.startswith('mailto:')]
    missing = [link for link in local if not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_named_files_exist(page):
    """Commands and texts name tools and configs that are there."""
    names = set(
        re.findall(
            r'\b((?:tools|configs|csbsr_mm|tests|docs)/[\w./-]+\.(?:py|sh|md|txt))\b', page.read_text()
        )
    )
    missing = [name for name in sorted(names) if 'my_' not in name and not (ROOT / name).exists()]
    assert not missing
