"""A run over files: what stays, what goes, and what is said when the disk is full."""

import errno
import json
import shutil
import threading

import numpy as np
import pytest
from helpers.dark_backend import DarkBackend
from PIL import Image

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.inspection.prediction.photo_output import OutputFolder, PhotoWriter
from csbsr_mm.inspection.prediction.run import PredictionRun
from csbsr_mm.inspection.prediction.timing import RunTimer
from csbsr_mm.photos.input_files import find_photos
from csbsr_mm.photos.reader import read_photo
from csbsr_mm.utils.stage_times import StageTimes


@pytest.fixture
def photos(tmp_path):
    image = np.full((60, 90, 3), 180, np.uint8)
    image[30:34, 10:80] = 10
    for name in ('a.png', 'b.png'):
        Image.fromarray(image).save(tmp_path / name)
    return tmp_path


def start(photos, **options):
    run = PredictionRun(CrackInferencer(DarkBackend(2)), OutputFolder(photos / 'out'), **options)
    return run.run(find_photos([photos], exclude=photos / 'out'))


def test_results_of_a_photo_that_fails_now_are_gone(photos):
    first = list(start(photos))
    assert [record['status'] for record in first] == ['ok', 'ok']
    assert first[0]['total']['mean_width'] == pytest.approx(4, abs=0.2)
    (photos / 'a.png').write_text('broken')
    second = list(start(photos))
    assert [record['status'] for record in second] == ['failed', 'ok']
    assert not list((photos / 'out').rglob('a.*g'))
    assert json.loads((photos / 'out/records/a.json').read_text())['status'] == 'failed'
    assert (photos / 'out/mask/b.png').is_file()


def test_full_disk_stops_the_run_and_names_the_photo(photos, monkeypatch):
    def write(*_):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr('csbsr_mm.inspection.prediction.photo_output.PhotoWriter.write', write)
    with pytest.raises(RuntimeError, match=r'no space left in .*out for the results of .*a\.png'):
        list(start(photos))


def test_other_errors_name_the_photo(photos, monkeypatch):
    def write(*_):
        raise OSError(errno.EIO, 'Input/output error')

    monkeypatch.setattr('csbsr_mm.inspection.prediction.photo_output.PhotoWriter.write', write)
    records = list(start(photos))
    assert all(name in record['error'] for name, record in zip(('a.png', 'b.png'), records, strict=True))


def test_reading_and_storing_run_beside_the_model(photos, monkeypatch):
    """The model ends only when the next photo is read, storing only when the model is at the next photo."""
    for number in range(3):
        shutil.copy(photos / 'a.png', photos / f'c{number}.png')
    count = 5
    has_read, at_work = ([threading.Event() for _ in range(count + 1)] for _ in range(2))
    order = dict(read=iter(range(count)), run=iter(range(count)), write=iter(range(count)))
    for event in (has_read[count], at_work[count]):
        event.set()

    def read(*words):
        has_read[next(order['read'])].set()
        return read_photo(*words)

    def write(writer, *words):
        assert at_work[next(order['write']) + 1].wait(30)
        return written(writer, *words)

    class Waiting(DarkBackend):
        def run(self, tiles):
            number = next(order['run'])
            at_work[number].set()
            assert has_read[number + 1].wait(30)
            return super().run(tiles)

    written = PhotoWriter.write
    monkeypatch.setattr('csbsr_mm.inspection.prediction.run.read_photo', read)
    monkeypatch.setattr('csbsr_mm.inspection.prediction.run.PhotoWriter.write', write)
    run = PredictionRun(CrackInferencer(Waiting()), OutputFolder(photos / 'out'))
    records = list(run.run(find_photos([photos], exclude=photos / 'out')))
    assert [record['name'] for record in records] == ['a', 'b', 'c0', 'c1', 'c2']
    timing = run.timing.summary()
    assert timing['photos'] == count
    assert timing['megapixels'] == pytest.approx(count * 60 * 90 / 1e6, abs=1e-4)
    assert set(timing['busy']) == {'read', 'whole_model', 'write', 'measure', 'blend'}
    assert timing['seconds'] >= timing['device']['span'] > timing['busy']['whole_model']


def test_idle_time_of_the_device(monkeypatch):
    """By hand: the photo is there after 2 s, the model takes 3 of 4 s, storing 5 s."""
    now = [100.0]
    monkeypatch.setattr('time.perf_counter', lambda: now[0])

    def photos():
        now[0] += 2
        yield 'photo'

    times = StageTimes(lambda: now[0])
    timer = RunTimer(times)
    timer.start()
    for _ in timer.waiting_for_photos(photos()):
        with times.of('predict'):
            with times.of('segment'):
                now[0] += 3
            now[0] += 1
        with times.of('write'):
            now[0] += 5
        timer.count(9_000_000)
    summary = timer.summary()
    assert summary['seconds'] == 11
    assert summary['busy'] == dict(segment=3, write=5, blend=1)
    assert summary['device'] == dict(span=6, idle=3, wait_for_photo=2, wait_for_storing=0, idle_part=0.5)
    assert summary['megapixels_per_minute'] == pytest.approx(60 * 9 / 11, abs=1e-4)


def test_what_is_predicted_when_the_user_interrupts_is_stored(photos):
    class Interrupted(DarkBackend):
        calls = 0

        def run(self, tiles):
            self.calls += 1
            if self.calls == 2:
                raise KeyboardInterrupt
            return super().run(tiles)

    run = PredictionRun(CrackInferencer(Interrupted()), OutputFolder(photos / 'out'))
    records = run.run(find_photos([photos], exclude=photos / 'out'))
    assert next(records)['name'] == 'a'
    with pytest.raises(KeyboardInterrupt):
        next(records)
    assert (photos / 'out/records/a.json').exists()
    assert not (photos / 'out/records/b.json').exists()


def test_record_is_stored_before_the_next_photo_is_there(photos):
    """Processes that share photos wait for each other's last photo: nothing may wait for a next one."""
    sources, is_stored = find_photos([photos], exclude=photos / 'out'), threading.Event()

    def one_by_one():
        yield sources[0]
        assert is_stored.wait(30)
        yield sources[1]

    run = PredictionRun(CrackInferencer(DarkBackend()), OutputFolder(photos / 'out'))
    records = run.run(one_by_one(), stored=lambda _: is_stored.set())
    assert [record['status'] for record in records] == ['ok', 'ok']
