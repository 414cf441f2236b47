"""Photos and results behind URLs, with the file systems of fsspec that need no network."""

import os
from pathlib import Path

import pytest

fsspec = pytest.importorskip('fsspec')

from csbsr_mm.photos import remote  # noqa: E402
from csbsr_mm.photos.remote import RemoteFolder, fetch_photos, is_url  # noqa: E402


@pytest.fixture
def store(tmp_path):
    """Write files to a store of its own in memory; returns its URL."""
    url = f'memory://{tmp_path.name}'
    files = fsspec.filesystem('memory')

    def write(**content):
        for name, text in content.items():
            files.pipe(f'/{tmp_path.name}/{name.replace("__", "/")}.jpg', text.encode())
        return url

    yield write
    files.store.clear()


@pytest.mark.parametrize(
    'path', ['photos', '/photos', 'C:\\photos', 'C:/photos', '../a://b', '@list.txt', '-']
)
def test_paths_are_no_urls(path):
    assert not is_url(path)
    assert fetch_photos([path], Path('nowhere')) == [path]


def test_folder_keeps_its_subfolders(store, tmp_path):
    url = store(a='1', wall__b='22', _hidden='3')
    fsspec.filesystem('memory').pipe(f'/{tmp_path.name}/notes.txt', b'no photo')
    fsspec.filesystem('memory').pipe(f'/{tmp_path.name}/.c.jpg', b'hidden')
    (folder,) = fetch_photos([url], tmp_path / 'copies')
    found = {path.relative_to(folder).as_posix(): path.read_text() for path in Path(folder).rglob('*.*')}
    assert found == {'a.jpg': '1', 'wall/b.jpg': '22', '_hidden.jpg': '3'}


def test_pattern_single_photo_and_local_disk(store, tmp_path):
    url = store(a1='1', a2='2', b='3')
    (folder,) = fetch_photos([f'{url}/a*.jpg'], tmp_path / 'copies')
    assert sorted(os.listdir(folder)) == ['a1.jpg', 'a2.jpg']
    (photo,) = fetch_photos([f'{url}/b.jpg'], tmp_path / 'copies')
    assert Path(photo).read_text() == '3'
    (again,) = fetch_photos([Path(photo).as_uri()], tmp_path / 'more')
    assert Path(again).read_text() == '3'


def test_copies_are_kept_until_the_original_changes(store, tmp_path, monkeypatch):
    url = store(a='1')
    (folder,) = fetch_photos([url], tmp_path / 'copies')
    before = (Path(folder) / 'a.jpg').stat()
    files = fsspec.filesystem('memory')
    monkeypatch.setattr(type(files), 'get_file', None)
    fetch_photos([url], tmp_path / 'copies')
    monkeypatch.undo()
    assert (Path(folder) / 'a.jpg').stat().st_mtime_ns == before.st_mtime_ns
    store(a='changed')
    fetch_photos([url], tmp_path / 'copies')
    assert (Path(folder) / 'a.jpg').read_text() == 'changed'


@pytest.mark.parametrize('name', ['', '/none', '/*.png'])
def test_nothing_behind_a_url(name, store, tmp_path):
    with pytest.raises(FileNotFoundError, match='behind memory://'):
        fetch_photos([f'memory://{tmp_path.name}-empty{name}'], tmp_path)


def test_names_from_outside_stay_inside(tmp_path):
    with pytest.raises(ValueError, match='outside the folder'):
        remote._copy_all(None, {'../evil.jpg': {}}, tmp_path / 'copies')


def test_folder_goes_there_and_comes_back(tmp_path):
    url = f'memory://{tmp_path.name}/out'
    here = RemoteFolder(url, tmp_path / 'here')
    for name in ('mask/a.png', 'records/a.json', '.run-1/a.0'):
        (tmp_path / 'here' / name).parent.mkdir()
        (tmp_path / 'here' / name).write_text(name)
    assert here.push(['mask/a.png']) == 1
    assert here.push() == 1
    (tmp_path / 'here/mask/a.png').write_text('another')
    assert here.push() == 1
    there = RemoteFolder(url, tmp_path / 'there')
    assert there.pull() == 2
    assert (tmp_path / 'there/mask/a.png').read_text() == 'another'
    assert there.push() == 0


def test_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr('csbsr_mm._extras.importlib.util.find_spec', lambda name: None)
    with pytest.raises(
        ImportError, match=r"fsspec, which is not installed: pip install 'csbsr_mm\[remote\]'"
    ):
        RemoteFolder('memory://x', tmp_path)
