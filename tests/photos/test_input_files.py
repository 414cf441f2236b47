"""Names of results: never outside their folder, never twice, never surprising."""

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csbsr_mm.photos.input_files import find_photos, safe_name


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(photos):
    return [photo.name for photo in photos]


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_becomes_one_file_name(text):
    name = safe_name(text)
    assert name
    assert Path(name).name == name
    assert name not in ('.', '..')
    assert name[0] not in '.-'
    assert not set(name) & set('/\\:*?"<>|\0\n')
    assert len(name) <= 101


@pytest.mark.parametrize('name', ['CON', 'nul', 'com1', 'Aux.b'])
def test_device_names_of_windows(name):
    assert safe_name(name) == f'_{name}'


def test_folders_files_and_patterns(tmp_path, monkeypatch):
    touch(
        tmp_path,
        'wall/b.jpg',
        'wall/a.PNG',
        'wall/north/c.tif',
        'wall/notes.txt',
        'single.raw',
        'x1.jpg',
        'x2.jpg',
    )
    monkeypatch.chdir(tmp_path)
    assert names(find_photos(['wall'])) == ['a', 'b', 'north__c']
    assert names(find_photos(['single.raw', 'x*.jpg'])) == ['single', 'x1', 'x2']
    assert names(find_photos(['**/*.jpg'])) == ['b', 'x1', 'x2']
    assert names(find_photos(['w*'])) == ['wall__a', 'wall__b', 'wall__north__c']


def test_hidden_files_of_a_folder_are_left_out(tmp_path):
    touch(tmp_path, '.card/a.jpg', '.card/._a.jpg', '.card/.Trashes/b.jpg', '.card/day 1/c.jpg')
    assert names(find_photos([tmp_path / '.card'])) == ['a', 'day_1__c']
    assert names(find_photos([tmp_path / '.card' / '._a.jpg'])) == ['_a']


def test_a_photo_named_twice_comes_once(tmp_path):
    touch(tmp_path, 'a.jpg')
    assert names(find_photos([tmp_path, tmp_path / 'a.jpg', f'{tmp_path}/*.jpg'])) == ['a']


def test_results_are_no_input(tmp_path):
    touch(tmp_path, 'a.jpg', 'out/sr/a.png')
    assert names(find_photos([tmp_path], exclude=tmp_path / 'out')) == ['a']


def test_nothing_found(tmp_path):
    touch(tmp_path, 'notes.txt')
    for item in (tmp_path / 'missing', tmp_path / '*.jpg'):
        with pytest.raises(FileNotFoundError, match='is no file, no folder with images'):
            find_photos([item])
    assert find_photos([tmp_path]) == []


def test_equal_names_are_told_apart(tmp_path):
    touch(tmp_path, 'one/a.jpg', 'one/a.tif', 'one/A.png', 'two/a.jpg', 'two/b.jpg')
    photos = find_photos([tmp_path / 'one', tmp_path / 'two'])
    found = [name.lower() for name in names(photos)]
    assert len(set(found)) == 5
    assert found[-1] == 'b'
    assert found[:3] == ['a_png', found[1], 'a_tif']
    assert names(photos) == names(find_photos([tmp_path / 'one', tmp_path / 'two']))


def test_hostile_names_stay_inside(tmp_path):
    if os.name == 'nt':
        pytest.skip('Windows allows no such file names')
    touch(tmp_path, '..\\..\\evil.jpg', '<img src=x onerror=alert(1)>.jpg', '-rf.jpg', '$(touch x);.jpg')
    for name in names(find_photos([tmp_path])):
        assert safe_name(name) == name


def test_links_lists_and_standard_input(tmp_path, monkeypatch):
    touch(tmp_path, 'wall/a.jpg', 'wall/b.jpg', 'c.HEIC')
    (tmp_path / 'wall' / 'link.jpg').symlink_to(tmp_path / 'wall' / 'a.jpg')
    assert names(find_photos([tmp_path])) == ['c', 'wall__a', 'wall__b']
    listed = f'# two photos\n{tmp_path}/c.HEIC\n\n{tmp_path}/wall/b.jpg\n'
    (tmp_path / 'list.txt').write_text(listed)
    assert names(find_photos([f'@{tmp_path}/list.txt'])) == ['c', 'b']
    monkeypatch.setattr('sys.stdin', io.StringIO(listed))
    assert names(find_photos(['-'])) == ['c', 'b']
