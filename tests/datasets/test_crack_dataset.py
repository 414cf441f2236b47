"""CrackDataset and ImageFolderSRDataset: what they find, and what they say when something is wrong."""

import re

import cv2
import numpy as np
import pytest
from helpers.crack_files import write_pair, write_set
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from csbsr_mm.datasets import CrackDataset, ImageFolderSRDataset, KeyedIndex
from csbsr_mm.datasets.preparation.health import inspect_split

PIPELINE = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='BinarizeMask')]
PREFIX = dict(img_path='train/images', seg_map_path='train/masks')


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmseg')


def crack_dataset(root, **kwargs):
    settings = dict(data_root=str(root), data_prefix=PREFIX, pipeline=PIPELINE) | kwargs
    return CrackDataset(**settings)


def test_finds_pairs_in_the_order_of_names(tmp_path):
    names = ('noncrack_2.jpg.jpg', 'CFD_1.jpg', 'b.png')
    dataset = crack_dataset(write_set(tmp_path, names))
    assert [info['img_path'].rsplit('/', 1)[1] for info in dataset] == sorted(names)
    assert dataset.metainfo['classes'] == ('background', 'crack')
    sample = dataset[0]
    assert sample['gt_seg_map'].shape == (64, 96)
    assert set(np.unique(sample['gt_seg_map'])) == {0, 1}


def test_mask_is_the_one_drawn(tmp_path):
    """JPEG blurs the mask's grey values; the classes come back exactly."""
    _, mask = write_pair(tmp_path / 'train', 'a.jpg')
    assert np.array_equal(crack_dataset(tmp_path)[0]['gt_seg_map'], mask // 255)


def test_mask_may_have_another_suffix(tmp_path):
    write_pair(tmp_path / 'train', 'a.jpg', mask_name='a.png')
    assert crack_dataset(tmp_path)[0]['seg_map_path'].endswith('a.png')


def test_two_photos_do_not_share_a_mask(tmp_path):
    write_pair(tmp_path / 'train', 'a.jpg', mask_name='a.png')
    write_pair(tmp_path / 'train', 'a.png')
    with pytest.raises(ValueError, match=r'a\.jpg and a\.png would share the mask a\.png'):
        crack_dataset(tmp_path)
    pairs = inspect_split(tmp_path, 'train', workers=1).pairs
    assert [pair.problem for pair in pairs] == ['shares its mask with another photo'] * 2
    write_pair(tmp_path / 'train', 'a.jpg')
    assert len(crack_dataset(tmp_path)) == 2


@pytest.mark.parametrize('shape', [(1, 1), (1, 7), (7, 1)])
def test_photos_of_one_pixel(tmp_path, shape):
    """MMSegmentation squeezes their masks."""
    for folder, channels in (('images', (3,)), ('masks', ())):
        (tmp_path / 'train' / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / 'train' / folder / 'a.png'), np.zeros((*shape, *channels), np.uint8))
    assert crack_dataset(tmp_path)[0]['gt_seg_map'].tolist() == np.zeros(shape, int).tolist()
    assert inspect_split(tmp_path, 'train', workers=1).problems == []


def test_list_selects_and_orders(tmp_path):
    write_set(tmp_path)
    (tmp_path / 'some.txt').write_text('c.png\na.png\n')
    dataset = crack_dataset(tmp_path, ann_file='some.txt')
    assert [info['img_path'][-5:] for info in dataset] == ['c.png', 'a.png']


def test_stock_pipeline_gets_classes_not_grey_values(tmp_path):
    write_set(tmp_path)
    dataset = crack_dataset(tmp_path, pipeline=PIPELINE[:2])
    assert set(np.unique(dataset[0]['gt_seg_map'])) == {0, 1}
    assert len(crack_dataset(tmp_path).pipeline.transforms) == 3


def test_images_without_masks(tmp_path):
    write_set(tmp_path)
    dataset = crack_dataset(tmp_path, data_prefix=dict(img_path='train/images'), pipeline=PIPELINE[:1])
    assert 'seg_map_path' not in dataset[0]


def test_samples_carry_their_draw(tmp_path):
    dataset = crack_dataset(write_set(tmp_path))
    assert dataset[KeyedIndex(1, draw=77, seed=4)]['draw'] == 77
    assert 'draw' not in dataset[1]


def test_training_without_draws_is_warned_of_once(tmp_path, monkeypatch):
    messages = []
    monkeypatch.setattr(
        'csbsr_mm.datasets.keyed_dataset.print_log', lambda text, **kwargs: messages.append(text)
    )
    keyed = [*PIPELINE, dict(type='KeyedRandomFlip')]
    dataset = crack_dataset(write_set(tmp_path), pipeline=keyed)
    dataset[KeyedIndex(0, draw=0)]
    assert not messages
    dataset[0], dataset[1]
    assert len(messages) == 1
    assert 'KeyedRandomFlip will treat a photo the same way in every epoch; use sampler' in messages[0]
    crack_dataset(tmp_path, pipeline=keyed, test_mode=True)[0]
    crack_dataset(tmp_path)[0]
    assert len(messages) == 1


def test_missing_masks_are_counted_and_named(tmp_path):
    write_set(tmp_path, [f'{i}.png' for i in range(9)])
    for i in range(7):
        (tmp_path / 'train' / 'masks' / f'{i}.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'7 images without a mask in .*masks: 0.png, .*, \.\.\.'):
        crack_dataset(tmp_path)


def test_missing_data_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no folder .*train/images; set data_root'):
        crack_dataset(tmp_path)
    (tmp_path / 'train' / 'images').mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r'no image in .*train/images'):
        crack_dataset(tmp_path)
    write_set(tmp_path)
    with pytest.raises(FileNotFoundError, match=r'no list .*train.txt; write it with tools/'):
        crack_dataset(tmp_path, ann_file='splits/train.txt')
    (tmp_path / 'list.txt').write_text('a.png\nz.png\n')
    with pytest.raises(FileNotFoundError, match=r'1 images of .*list.txt not found in .*: z.png'):
        crack_dataset(tmp_path, ann_file='list.txt')


@pytest.mark.parametrize('folder', ['images', 'masks'])
def test_unreadable_file_is_named(tmp_path, folder):
    write_set(tmp_path)
    broken = tmp_path / 'train' / folder / 'b.png'
    broken.write_bytes(broken.read_bytes()[:40])
    dataset = crack_dataset(tmp_path)
    with pytest.raises(OSError, match=rf'{folder}/b.png cannot be read'):
        dataset[1]


def test_size_mismatch_is_named(tmp_path):
    write_set(tmp_path)
    cv2.imwrite(str(tmp_path / 'train' / 'masks' / 'b.png'), np.zeros((64, 64), np.uint8))
    with pytest.raises(ValueError, match=r'64x96 and 64x64 .*masks/b.png; store the mask at'):
        crack_dataset(tmp_path)[1]


def test_unexpected_values_are_named(tmp_path):
    write_set(tmp_path)
    classes = np.tile(np.arange(4, dtype=np.uint8), (64, 24))
    cv2.imwrite(str(tmp_path / 'train' / 'masks' / 'b.png'), classes)
    with pytest.raises(ValueError, match=r'must be 0/255 or 0/1, got 0\.\.3 in .*masks/b.png; map'):
        crack_dataset(tmp_path)[1]


def test_errors_of_other_transforms_keep_their_own_message(tmp_path):
    write_set(tmp_path)
    dataset = crack_dataset(tmp_path, pipeline=[*PIPELINE, dict(type='KeyedRandomCrop', crop_size=500)])
    with pytest.raises(ValueError, match='crop of 500x500 does not fit'):
        dataset[0]


def test_image_folder(tmp_path):
    for folder, name in (('DIV2K', '2.png'), ('DIV2K', '1.png'), ('Flickr2K/sub', 'x.png')):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / folder / name), np.full((8, 8, 3), 7, np.uint8))
    config = dict(type='ImageFolderSRDataset', data_root=str(tmp_path), pipeline=PIPELINE[:1])
    dataset = DATASETS.build(config | dict(folders=['DIV2K', 'Flickr2K'], recursive=True))
    assert [info['img_path'][-5:] for info in dataset] == ['1.png', '2.png', 'x.png']
    assert dataset[KeyedIndex(0, draw=5)]['draw'] == 5
    assert len(ImageFolderSRDataset('DIV2K', data_root=str(tmp_path))) == 2
    with pytest.raises(FileNotFoundError, match=r'no image in .*Flickr2K'):
        ImageFolderSRDataset(['Flickr2K'], data_root=str(tmp_path))


def test_doubtful_training_data_are_mentioned_once(tmp_path, monkeypatch):
    messages = []
    monkeypatch.setattr(
        'csbsr_mm.datasets.crack_dataset.print_log', lambda text, **kwargs: messages.append(text)
    )
    write_set(tmp_path)
    crack_dataset(tmp_path)
    assert not messages
    for path in (tmp_path / 'train' / 'masks').iterdir():
        cv2.imwrite(str(path), 255 - cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    (tmp_path / 'some.txt').write_text('c.png\na.png\nc.png\n')
    crack_dataset(tmp_path, ann_file='some.txt')
    assert 'names 1 of 3 photos a second time' in messages[0]
    assert re.search(r'3 of 3 masks in .* are mostly crack \(\d+% of their pixels\)', messages[1])
    crack_dataset(tmp_path, test_mode=True)
    assert len(messages) == 2
