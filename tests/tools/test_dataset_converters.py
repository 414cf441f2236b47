"""The data set tools, on small data sets in the layouts of the real ones."""

import json

import cv2
import numpy as np
import pytest
from helpers.crack_files import write_pair, write_set
from helpers.training import csbsr
from scipy.io import savemat

from csbsr_mm.cli import COMMANDS
from csbsr_mm.datasets.crack_renderer import render_crack_photo
from csbsr_mm.datasets.degraded_store import DegradedStore
from csbsr_mm.datasets.preparation.files import write_mask
from csbsr_mm.datasets.preparation.khanhha_layout import split_names
from csbsr_mm.datasets.preparation.parallel import run_parallel
from csbsr_mm.datasets.transforms import BlindDegradation

rng = np.random.default_rng(0)


def run(tool, *arguments):
    """Run ``csbsr TOOL`` or ``csbsr convert-data TOOL``; returns its exit status or message."""
    command = [tool] if tool in COMMANDS else ['convert-data', tool]
    try:
        return csbsr(*command, *arguments)
    except SystemExit as stop:
        return stop.code


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def photo_and_mask(size=(40, 56)):
    mask = np.zeros(size, np.uint8)
    cv2.line(mask, (3, 5), (size[1] - 6, size[0] - 9), 255, 2)
    return rng.integers(0, 256, (*size, 3)).astype(np.uint8), mask


def stored_mask(path):
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 127


def double(number):
    if number < 0:
        raise ValueError(f'negative: {number}')
    return 2 * number


def blurred_mean(value):
    return float(cv2.GaussianBlur(np.full((2000, 2000), value, np.float32), (0, 0), 3).mean())


def test_parallel_keeps_order_and_raises():
    assert run_parallel(double, range(50), 'doubling', workers=2) == [2 * n for n in range(50)]
    assert run_parallel(double, [], 'nothing') == []
    with pytest.raises(ValueError, match='negative: -1'):
        run_parallel(double, [1, 2, -1, 4], 'failing', workers=2)


def test_parallel_after_opencv_used_its_threads():
    """Forked processes must not wait for their parent's threads."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(4)
    try:
        cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.uint8), (0, 0), 9)
        assert run_parallel(blurred_mean, [1.0, 2.0, 3.0], 'blurring', workers=2) == pytest.approx([1, 2, 3])
        assert cv2.getNumThreads() == 4
    finally:
        cv2.setNumThreads(threads)


def test_split_is_complete_disjoint_and_repeatable(tmp_path):
    write_set(tmp_path, [f'{i:02d}.png' for i in range(40)], size=(8, 16))
    assert run('split', tmp_path, '--val-share', 0.25, '--seed', 3) == 0
    lists = {name: (tmp_path / 'splits' / f'{name}.txt').read_text() for name in ('train', 'val')}
    train, val = (lists[name].split() for name in ('train', 'val'))
    assert (len(train), len(val)) == (30, 10)
    assert sorted(train + val) == [f'{i:02d}.png' for i in range(40)]
    run('split', tmp_path, '--val-share', 0.25, '--seed', 3)
    assert (tmp_path / 'splits' / 'val.txt').read_text() == lists['val']
    names = [f'{i:05d}.jpg' for i in range(9603)]
    train, val = split_names(names[::-1], share=0.05, seed=0)
    assert (len(train), len(val)) == (9122, 481)
    assert split_names(names, share=0.05, seed=0) == (train, val)
    assert split_names(names, share=0.05, seed=1)[1] != val
    assert 'no folder' in run('split', tmp_path / 'elsewhere')
    assert 'share must be within' in run('split', tmp_path, '--val-share', 1.5)


def test_crack500(tmp_path):
    masks = {}
    for folder, name in (('traindata/traincrop', 'a_1'), ('valcrop', 'b_1'), ('testdata/testcrop', 'c_1')):
        photo, masks[name] = photo_and_mask()
        write(tmp_path / 'raw' / folder / f'{name}.jpg', photo)
        write(tmp_path / 'raw' / folder / f'{name}.png', masks[name])
    assert run('crack500', tmp_path / 'raw', tmp_path / 'out', '--workers', 1) == 0
    stored = {p.relative_to(tmp_path / 'out').as_posix() for p in (tmp_path / 'out').rglob('*.jpg')}
    expected = {('train', 'a_1'), ('train', 'b_1'), ('test', 'c_1')}
    assert stored == {f'{s}/{k}/CRACK500_{n}.jpg' for s, n in expected for k in ('images', 'masks')}
    for split, name in expected:
        assert np.array_equal(
            stored_mask(tmp_path / 'out' / split / 'masks' / f'CRACK500_{name}.jpg'), masks[name] > 0
        )
    copied = (tmp_path / 'out/test/images/CRACK500_c_1.jpg').read_bytes()
    assert copied == (tmp_path / 'raw/testdata/testcrop/c_1.jpg').read_bytes()


def test_deepcrack_resized_and_continued(tmp_path):
    for split in ('train', 'test'):
        photo, mask = photo_and_mask()
        write(tmp_path / 'raw' / f'{split}_img' / '1.jpg', photo)
        write(tmp_path / 'raw' / f'{split}_lab' / '1.png', mask)
    arguments = ('deepcrack', tmp_path / 'raw', tmp_path / 'out', '--size', 32, '--workers', 1)
    assert run(*arguments) == 0
    path = tmp_path / 'out/train/masks/DeepCrack_1.jpg'
    assert stored_mask(path).shape == (32, 32)
    assert cv2.imread(str(tmp_path / 'out/test/images/DeepCrack_1.jpg')).shape == (32, 32, 3)
    untouched = (tmp_path / 'out/test/masks/DeepCrack_1.jpg').stat().st_mtime_ns
    path.unlink()
    run(*arguments)
    assert path.is_file()
    assert (tmp_path / 'out/test/masks/DeepCrack_1.jpg').stat().st_mtime_ns == untouched


def test_crackforest_takes_label_two(tmp_path):
    labels = {}
    for i in range(5):
        photo, mask = photo_and_mask()
        labels[f'{i:03d}'] = np.where(mask > 0, 2, 1)
        labels[f'{i:03d}'][:4, -4:] = 3
        write(tmp_path / 'raw' / 'image' / f'{i:03d}.jpg', photo)
        truth = {'Segmentation': labels[f'{i:03d}'].astype(np.uint16), 'Boundaries': mask > 0}
        (tmp_path / 'raw' / 'groundTruth').mkdir(exist_ok=True)
        savemat(tmp_path / 'raw' / 'groundTruth' / f'{i:03d}.mat', {'groundTruth': truth})
    assert run('crackforest', tmp_path / 'raw', tmp_path / 'out', '--workers', 1) == 0
    found = list((tmp_path / 'out').glob('*/masks/*.jpg'))
    assert sorted(path.parts[-3] for path in found) == ['test'] * 2 + ['train'] * 3
    for path in found:
        assert np.array_equal(stored_mask(path), labels[path.stem[4:]] == 2)
    savemat(tmp_path / 'raw' / 'groundTruth' / '000.mat', {'other': 1})
    assert 'groundTruth.Segmentation; is it' in run(
        'crackforest', tmp_path / 'raw', tmp_path / 'new', '--workers', 1
    )


def test_converters_say_what_is_wrong(tmp_path):
    assert 'no photo with a mask found' in run('crack500', tmp_path, tmp_path / 'out')
    photo, mask = photo_and_mask()
    write(tmp_path / 'test_img' / '1.jpg', photo)
    write(tmp_path / 'test_lab' / '1.png', mask[:30])
    assert '1.jpg is 40x56, but its mask' in run('deepcrack', tmp_path, tmp_path / 'out', '--workers', 1)
    write(tmp_path / 'test_lab' / '1.png', mask)
    (tmp_path / 'test_img' / '1.jpg').write_bytes(b'broken')
    assert 'cannot be read as an image' in run('deepcrack', tmp_path, tmp_path / 'out', '--workers', 1)


def test_mask_that_jpeg_cannot_hold(tmp_path):
    noise = rng.random((64, 64)) < 0.5
    write_mask(tmp_path / 'a.png', noise)
    assert np.array_equal(stored_mask(tmp_path / 'a.png'), noise)
    thin = np.zeros((64, 64))
    thin[::7] = thin[:, ::9] = 1
    write_mask(tmp_path / 'a.jpg', thin)
    assert np.array_equal(stored_mask(tmp_path / 'a.jpg'), thin > 0)


def test_degraded_set(tmp_path):
    names = ['a.jpg', 'noncrack_1.jpg.jpg', 'odd.png']
    for seed, name in enumerate(names):
        write_pair(tmp_path / 'test', name, size=(66, 97) if name == 'odd.png' else (64, 96), seed=seed)
    arguments = ('degrade', tmp_path, '--name', 'set', '--seed', 7, '--workers', 1)
    assert run(*arguments) == 0
    root = tmp_path / 'test_blured' / 'set'
    manifest = json.loads((root / 'manifest.json').read_text())
    assert list(manifest['kernels']) == names
    assert manifest['settings']['sigma'] == [0.2, 4.0]
    for name in names:
        photo = cv2.imread(str(tmp_path / 'test/images' / name))
        made = BlindDegradation(seed=7).transform(dict(img=photo, img_path=name))
        lr, kernel = DegradedStore(root).read(name, precise=True)
        assert np.array_equal(lr, made['img'])
        assert np.array_equal(kernel, made['gt_blur_kernel'])
        assert manifest['kernels'][name]['sigma_x'] == made['blur_parameters']['sigma_x']
    assert (root / 'hr_images' / 'a.jpg').read_bytes() == (tmp_path / 'test/images/a.jpg').read_bytes()
    assert cv2.imread(str(root / 'hr_images' / 'odd.png')).shape == (64, 96, 3)

    before = {path: path.read_bytes() for path in root.rglob('*.*')}
    (root / 'kernels' / 'a.png').unlink()
    assert run(*arguments) == 0
    assert {path: path.read_bytes() for path in root.rglob('*.*')} == before
    assert 'made with other settings; choose another --name' in run(*arguments, '--sigma', 1, 2)
    assert 'one of 1, 2, 4, 8, got 3' in run(*arguments[:3], 'other', '--scale', 3)
    assert 'no folder' in run('degrade', tmp_path / 'nowhere')


def test_sub_images_cover_every_pixel(tmp_path):
    image = np.arange(70 * 100, dtype=np.uint16).reshape(70, 100)
    photo = np.stack([image % 256, image // 256, 0 * image], -1).astype(np.uint8)
    write(tmp_path / 'DIV2K/HR/0001.png', photo)
    arguments = ('--folders', 'DIV2K/HR', '--size', 32, '--step', 24, '--workers', 1)
    assert run('sub-images', tmp_path, *arguments) == 0
    seen = np.zeros((70, 100), bool)
    for path in (tmp_path / 'DIV2K/HR_sub').glob('*.png'):
        y, x = (int(part) for part in path.stem.split('_s')[1].split('_'))
        assert np.array_equal(cv2.imread(str(path)), photo[y : y + 32, x : x + 32])
        seen[y : y + 32, x : x + 32] = True
    assert seen.all()
    arguments = ('--folders', 'DIV2K/HR', '--size', 80, '--workers', 1)
    assert 'smaller than --size 80' in run('sub-images', tmp_path, *arguments)


def test_health_report(tmp_path, capsys):
    write_set(tmp_path, ('CFD_1.png', 'CFD_2.png', 'noncrack_1.png'))
    write_pair(tmp_path / 'test', 'x.png', seed=50, crack=False)
    assert run('check-data', tmp_path, '--workers', 1) == 0
    report = capsys.readouterr().out
    assert 'Healthy.' in report
    assert 'CFD: 2' in report
    assert '1 (100.0%)' in report

    (tmp_path / 'train/masks/CFD_1.png').unlink()
    (tmp_path / 'train/images/CFD_2.png').write_bytes(b'broken')
    write(tmp_path / 'train/masks/noncrack_1.png', np.full((64, 96), 3, np.uint8))
    write_pair(tmp_path / 'train', 'copy.png', seed=50)
    assert run('check-data', tmp_path, '--workers', 1) == 1
    report = capsys.readouterr().out
    for line in (
        'train/CFD_1.png: no mask',
        'train/CFD_2.png: images file cannot be read',
        'train/noncrack_1.png: mask values must be 0/255 or 0/1',
        'train/copy.png = test/x.png',
        'Not healthy',
    ):
        assert line in report
    assert 'no folder' in run('check-data', tmp_path / 'nowhere')


def test_data_that_are_wrong_but_readable(tmp_path, capsys):
    """Inverted masks, lists with repetitions, a photo stored anew in the other split, a mask alone."""
    names = [f'{number}.png' for number in range(6)]
    for number, name in enumerate(names):
        photo, _ = render_crack_photo(np.random.default_rng([1, number]), size=64)
        mask = np.zeros((64, 64), np.uint8)
        mask[30:33] = 255
        split = 'train' if number < 4 else 'test'
        write(tmp_path / split / 'images' / name, photo)
        write(tmp_path / split / 'masks' / name, mask)
    assert run('check-data', tmp_path, '--workers', 1) == 0
    assert 'look the same' not in capsys.readouterr().out

    photo = cv2.imread(str(tmp_path / 'train/images/0.png'))
    smaller = cv2.resize(photo, (56, 56), interpolation=cv2.INTER_AREA)
    (tmp_path / 'test/images').mkdir(exist_ok=True)
    cv2.imwrite(str(tmp_path / 'test/images/other.jpg'), smaller, [cv2.IMWRITE_JPEG_QUALITY, 80])
    write(tmp_path / 'test/masks/other.png', np.zeros((56, 56), np.uint8))
    inverted = 255 - cv2.imread(str(tmp_path / 'train/masks/1.png'), cv2.IMREAD_GRAYSCALE)
    write(tmp_path / 'train/masks/1.png', inverted)
    write(tmp_path / 'train/masks/alone.png', inverted)
    (tmp_path / 'train.txt').write_text('0.png\n1.png\n0.png\n')
    (tmp_path / 'val.txt').write_text('1.png\n2.png\n')
    assert run('check-data', tmp_path, '--workers', 1) == 1
    report = capsys.readouterr().out
    for line in (
        'train/0.png ~ test/other.jpg',
        'train/1.png: 95% of its pixels are crack; is the mask inverted?',
        'train/alone.png: mask without a photo',
        'train.txt names 1 photos more than once, such as 0.png',
        'train.txt and val.txt share 1 photos, such as 1.png',
    ):
        assert line in report


def test_demo_tool(tmp_path, capsys):
    options = ('--test', 1, '--size', 64, '--workers', 1)
    arguments = ('render-demo', tmp_path / 'demo', '--train', 2, *options)
    assert run(*arguments) == 0
    assert '2 training and 1 test photos, 3 photos rendered' in capsys.readouterr().out
    assert run(*arguments) == 0
    assert 'complete already' in capsys.readouterr().out
    assert 'choose an empty folder' in run(*arguments[:2], '--train', 1, *options)


@pytest.mark.parametrize(
    ('kind', 'folders', 'nested'),
    [
        ('gaps384', ('croppedimg', 'croppedgt'), False),
        ('gaps384', ('croppedimg', 'croppedgt'), True),
        ('cracktree200', ('cracktree200rgb', 'cracktree200_gt'), False),
    ],
)
def test_folders_of_photos_and_masks(tmp_path, kind, folders, nested):
    """Any brightness but black is crack; a photo without mask is left out; the split follows the seed."""
    pairs = {f'a_{number}': photo_and_mask() for number in range(5)}
    photos, masks = (tmp_path / 'raw' / name / (name if nested else '') for name in folders)
    for name, (photo, mask) in pairs.items():
        write(photos / f'{name}.jpg', photo)
        write(masks / f'{name}.png', mask // 100)
    write(photos / 'alone.jpg', photo_and_mask()[0])
    arguments = (tmp_path / 'raw', tmp_path / 'out', '--test-share', 0.4, '--workers', 1)
    assert run(kind, *map(str, arguments)) == 0
    prefix = {'gaps384': 'GAPS384', 'cracktree200': 'cracktree200'}[kind]
    masks = {split: tmp_path / 'out' / split / 'masks' for split in ('train', 'test')}
    found = {split: sorted(path.name for path in folder.iterdir()) for split, folder in masks.items()}
    assert [len(found['train']), len(found['test'])] == [3, 2]
    assert sorted(found['train'] + found['test']) == [f'{prefix}_{name}.jpg' for name in pairs]
    for split, names in found.items():
        for name in names:
            mask = pairs[name.removeprefix(f'{prefix}_').removesuffix('.jpg')][1]
            assert np.array_equal(stored_mask(masks[split] / name), mask > 0)


def test_ael_has_dark_cracks_and_three_sensors(tmp_path):
    photos = {
        'AIGLE_RN': 'Im_GT_AIGLE_RN_C18aor.png',
        'ESAR': 'Im_GT_ESAR_30a.jpg',
        'LCMS': 'Im_GT_LCMS_1.png',
    }
    masks = {'AIGLE_RN': 'GT_AIGLE_RN_C18a.png', 'ESAR': 'GT_ESAR_30a.png', 'LCMS': 'GT_LCMS_1.png'}
    drawn = {}
    for sensor, photo_name in photos.items():
        photo, drawn[sensor] = photo_and_mask()
        write(tmp_path / 'TITS' / 'IMAGES' / sensor / photo_name, photo)
        write(tmp_path / 'TITS' / 'GROUND_TRUTH' / sensor / masks[sensor], 255 - drawn[sensor])
    assert run('ael', str(tmp_path), str(tmp_path / 'out'), '--workers', '1') == 0
    stored = {path.name: path for path in (tmp_path / 'out').glob('*/masks/*')}
    assert set(stored) == {f'AEL_{name.removeprefix("Im_")}' for name in photos.values()}
    for sensor, name in photos.items():
        mask = stored_mask(stored[f'AEL_{name.removeprefix("Im_")}'])
        assert np.array_equal(mask, drawn[sensor] > 0)


def test_cssc_names_its_folders(tmp_path):
    for number in range(3):
        photo, mask = photo_and_mask()
        write(tmp_path / 'raw' / 'photos' / f'{number}.png', photo)
        write(tmp_path / 'raw' / 'labels' / f'{number}.png', 255 - mask)
    options = ('--images', 'photos', '--masks', 'labels', '--dark-cracks', '--workers', '1')
    assert run('cssc', str(tmp_path / 'raw'), str(tmp_path / 'out'), *options) == 0
    stored = sorted(path.name for path in (tmp_path / 'out').glob('*/masks/*'))
    assert stored == ['CSSC_0.png', 'CSSC_1.png', 'CSSC_2.png']
    assert all(0 < stored_mask(path).mean() < 0.5 for path in (tmp_path / 'out').glob('*/masks/*'))


def test_health_by_constituent(tmp_path, capsys):
    for split in ('train', 'test'):
        for name in ('CFD_1', 'CFD_2', 'noncrack_wall_1'):
            photo, mask = photo_and_mask()
            write(tmp_path / split / 'images' / f'{name}.png', photo)
            write(tmp_path / split / 'masks' / f'{name}.png', mask * (name != 'noncrack_wall_1'))
    assert run('check-data', str(tmp_path), '--workers', '1') == 0
    lines = capsys.readouterr().out.split('By constituent')[1].splitlines()
    cells = [[cell.strip() for cell in line.strip('│ ').split('│')] for line in lines if '│' in line]
    rows = {source: rest for source, *rest in cells}
    assert rows['CFD'][:3] == ['4', '0', '0']
    assert rows['noncrack'] == ['2', '0', '2', '0.00%']
