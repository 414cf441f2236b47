"""``csbsr predict`` from a store and into one: the files of a local run, sent photo by photo."""

import numpy as np
import pytest
from PIL import Image

fsspec = pytest.importorskip('fsspec')

from helpers.dark_backend import DarkBackend  # noqa: E402

from csbsr_mm.apis import CrackInferencer  # noqa: E402
from csbsr_mm.inspection.prediction import command as command  # noqa: E402
from csbsr_mm.inspection.prediction.remote import cache_of  # noqa: E402
from csbsr_mm.inspection.prediction.run import PredictionRun  # noqa: E402


@pytest.fixture
def store(tmp_path, monkeypatch):
    """URL of a store with two photos; predictions are made by darkness."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    files = fsspec.filesystem('memory')
    image = np.full((40, 60, 3), 180, np.uint8)
    image[20:23, 5:50] = 10
    for name in ('a', 'b'):
        with files.open(f'/{tmp_path.name}/photos/{name}.png', 'wb') as file:
            Image.fromarray(image).save(file, format='png')

    def make_run(args, folder, scratch):
        return PredictionRun(CrackInferencer(DarkBackend(2), scratch_dir=scratch), folder, resume=args.resume)

    monkeypatch.setattr(command, 'make_run', make_run)
    monkeypatch.setattr(command, 'model_config', lambda args: None)
    monkeypatch.setattr(command, 'shown_settings', lambda args, run: {})
    yield f'memory://{tmp_path.name}'
    files.store.clear()


def predict(*words):
    from csbsr_mm.cli import build_parser

    return command.predict_photos(build_parser('predict').parse_args(['predict', *words]))


def names(url):
    files = fsspec.filesystem('memory')
    root = url.removeprefix('memory:/')
    return {path.removeprefix(root + '/') for path in files.find(root)}


def test_report_in_the_store_has_the_files_of_a_local_one(store, tmp_path):
    assert predict(f'{store}/photos', '--out-dir', f'{store}/report') == 0
    assert not cache_of(f'{store}/report').exists()
    assert predict(f'{store}/photos', '--out-dir', str(tmp_path / 'local')) == 0
    local = {path.relative_to(tmp_path / 'local').as_posix() for path in (tmp_path / 'local').rglob('*.*')}
    assert names(f'{store}/report') == local
    assert {'index.html', 'records/a.json', 'mask/b.png'} <= local


def test_run_that_broke_off_goes_on(store, monkeypatch):
    """What was sent is not done again, even where nothing of the first run is left here."""
    run = DarkBackend.run
    calls = []

    def interrupted(backend, tiles):
        calls.append(tiles)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run(backend, tiles)

    monkeypatch.setattr(DarkBackend, 'run', interrupted)
    words = [f'{store}/photos', '--out-dir', f'{store}/report']
    assert predict(*words) == 130
    assert 'records/a.json' in names(f'{store}/report')
    assert 'records/b.json' not in names(f'{store}/report')
    assert predict(*words, '--resume') == 0
    assert len(calls) == 3
    assert 'records/b.json' in names(f'{store}/report')


def test_launchers_need_a_shared_folder(store):
    with pytest.raises(ValueError, match='--launcher needs a folder that all processes see'):
        predict(f'{store}/photos', '--out-dir', 'out', '--launcher', 'slurm')
