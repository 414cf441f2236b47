"""Masks of annotations: our exports come back, and so do the codes of other people's tools."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from csbsr_mm.apis.labelled_photos import find_pairs
from csbsr_mm.cli import main
from csbsr_mm.inspection.exports import FORMATS
from csbsr_mm.inspection.masks_from import Bitmap, Polygon, draw_mask, write_masks
from csbsr_mm.inspection.masks_from.run_lengths import coco_mask, cvat_mask, label_studio_mask

SCALE = 2


@pytest.fixture
def masks(tmp_path):
    """Of photos of 80x60 pixels: cracks with holes within holes, a speckled one, and none."""
    rng = np.random.default_rng(0)
    rings = np.zeros((120, 160), np.uint8)
    rings[10:90, 20:120] = 255
    rings[16:84, 26:114] = 0
    rings[16:84, 60:66] = 255
    rings[40:46, 26:114] = 255
    rings[100:104, 3:157] = 255
    speckled = np.where(rng.random((120, 160)) < 0.95, rings, 0).astype(np.uint8)
    (tmp_path / 'masks').mkdir()
    (tmp_path / 'photos').mkdir()
    for name, mask in (('rings', rings), ('speckled', speckled), ('none', 0 * rings)):
        Image.fromarray(mask).save(tmp_path / f'masks/{name}.png')
        Image.new('RGB', (80, 60)).save(tmp_path / f'photos/{name}.jpg')
    return tmp_path


def submitted(file):
    """What Label Studio exports of our tasks when each prediction was accepted."""
    tasks = json.loads(file.read_text())
    for number, task in enumerate(tasks):
        result = [{**one, 'origin': 'prediction'} for one in task.pop('predictions')[0]['result']]
        for one in result:
            one.pop('score', None)
        task |= {'id': number, 'annotations': [{'was_cancelled': False, 'result': result}]}
    file.write_text(json.dumps(tasks))


@pytest.mark.parametrize('kind', ['coco', 'label-studio', 'cvat'])
def test_exports_come_back_to_the_pixel(masks, capsys, kind):
    out, photos = masks / 'out', masks / 'photos'
    words = [
        'measure',
        str(masks / 'masks'),
        '--scale',
        str(SCALE),
        '--min-area',
        '0',
        '--photos',
        str(photos),
    ]
    assert main([*words, '--export', kind, '--out-dir', str(out)]) == 0
    file = out / FORMATS[kind].file
    if kind == 'label-studio':
        submitted(file)
    words = ['masks-from', kind, str(file), '--out-dir', str(masks / 'new'), '--scale', str(SCALE)]
    assert main([*words, '--photos', str(photos)]) == 0
    assert '3 masks in' in capsys.readouterr().out
    for photo, path in find_pairs(photos, masks / 'new'):
        new, old = (np.asarray(Image.open(one)) for one in (path, masks / f'masks/{photo.stem}.png'))
        assert set(np.unique(new)) <= {0, 255}
        # Small holes of a crack are filled before it is measured.
        added = (new > old).sum()
        assert not (new < old).any()
        assert added == 0 if photo.stem != 'speckled' else 0 < added < 0.06 * (old > 0).sum()


@given(st.integers(0, 10**6), st.integers(3, 12), st.sampled_from((1, 3)))
@settings(max_examples=60, deadline=None)
def test_polygons_as_matplotlib_sees_them(seed, corners, scale):
    path = pytest.importorskip('matplotlib.path')
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = rng.uniform(1, 16, corners)
    # Parts of it lie outside the photo. A star around a point crosses itself nowhere.
    points = np.column_stack([12 + radius * np.cos(angles), 9 + radius * np.sin(angles)])
    gaps = np.diff(np.append(angles, angles[0] + 2 * np.pi))
    if gaps.max() > 3:
        return
    rows, columns = (np.indices((scale * 18, scale * 22)) + 0.5) / scale
    expected = path.Path(points).contains_points(np.column_stack([columns.ravel(), rows.ravel()]))
    for ring in (points, points[::-1]):
        assert np.array_equal(draw_mask([Polygon(ring)], (18, 22), scale).ravel(), expected)


def example():
    mask = np.zeros((9, 13), bool)
    mask[2:4, 3:11] = mask[6, 0:5] = mask[0, 12] = True
    return mask


def test_codes_that_other_tools_wrote():
    """By pycocotools 2.0.11 and label-studio-sdk 2.1.2."""
    assert np.array_equal(coco_mask({'size': [9, 13], 'counts': '618000L1NO21NO2130000000007OJ'}), example())
    holed = np.zeros((40, 50), bool)
    holed[10:30, 5:45] = True
    holed[15:20, 10:20] = False
    text = 'b6d0d000000000AA5?KA5?KA5?KA5?KA5?KA5?KA5?KA5?KA5?KA5?:' + '0' * 48 + 'n5'
    assert np.array_equal(coco_mask({'size': [40, 50], 'counts': text}), holed)
    code = [0, 0, 1, 212, 57, 27, 254, 47, 0, 143, 255, 31, 128, 97]
    code += [255, 252, 38, 1, 135, 255, 243, 120, 6, 19, 255, 208, 224, 0]
    assert np.array_equal(label_studio_mask(code, (9, 13)), example())


def runs_of(values):
    """Run lengths from background on, one value after the other."""
    runs, value = [0], False
    for one in values.ravel():
        if one != value:
            runs.append(0)
            value = one
        runs[-1] += 1
    return runs


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_lists_of_run_lengths(height, width, seed):
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    assert np.array_equal(coco_mask({'size': [height, width], 'counts': runs_of(mask.T)}), mask)
    assert np.array_equal(cvat_mask(', '.join(map(str, runs_of(mask))), (height, width)), mask)


def test_label_studio_one_value_after_the_other():
    """The other kind of block, made by hand: no run at all."""
    mask = np.random.default_rng(1).random((3, 5)) < 0.5
    values = np.zeros((3, 5, 4), np.uint8)
    values[..., 3] = 255 * mask
    bits = f'{60:032b}{7:05b}' + f'{7:04b}' * 4 + '0' + '10' + f'{59:08b}'
    bits += ''.join(f'{value:08b}' for value in values.ravel())
    bits += '0' * (-len(bits) % 8)
    code = [int(bits[place : place + 8], 2) for place in range(0, len(bits), 8)]
    assert np.array_equal(label_studio_mask(code, (3, 5)), mask)
    with pytest.raises(ValueError, match='the brush ends early'):
        label_studio_mask(code[:-3], (3, 5))
    with pytest.raises(ValueError, match='has 60 values'):
        label_studio_mask(code, (3, 6))


def coco(tmp_path, **changes):
    content = dict(
        images=[dict(id=3, file_name='north/a.jpg', width=20, height=10)],
        categories=[dict(id=1, name='Crack'), dict(id=2, name='rust')],
        annotations=[
            dict(
                image_id=3,
                category_id=1,
                segmentation=[[2, 2, 8, 2, 8, 4, 2, 4], [10, 2, 12, 2, 12, 4, 10, 4]],
            ),
            dict(image_id=3, category_id=1, segmentation=dict(size=[10, 20], counts=[5, 1, 194])),
            dict(image_id=3, category_id=2, segmentation=[[0, 0, 20, 0, 20, 10, 0, 10]]),
            dict(image_id=3, category_id=1, segmentation=[], bbox=[0, 0, 3, 3]),
        ],
    )
    (tmp_path / 'a.json').write_text(json.dumps(content | changes))
    return tmp_path / 'a.json'


def test_what_has_no_area_is_named(tmp_path, capsys):
    assert main(['masks-from', 'coco', str(coco(tmp_path)), '--out-dir', str(tmp_path / 'new')]) == 0
    assert 'left out, as it has no area: 1 x box' in capsys.readouterr().out
    expected = np.zeros((10, 20), bool)
    expected[2:4, 2:8] = expected[2:4, 10:12] = expected[5, 0] = True
    assert np.array_equal(np.asarray(Image.open(tmp_path / 'new/a.png')) > 0, expected)


def test_cracks_that_vanish_are_named(tmp_path, capsys):
    thin = dict(image_id=3, category_id=1, segmentation=[[2, 2.1, 18, 2.1, 18, 2.4, 2, 2.4]])
    file = coco(tmp_path, annotations=[thin])
    words = ['masks-from', 'coco', str(file), '--out-dir', str(tmp_path / 'new')]
    assert main(words) == 0
    assert 'a.jpg: the cracks are thinner than a pixel of the mask; raise --scale' in capsys.readouterr().out
    assert main([*words, '--scale', '4']) == 0
    assert np.asarray(Image.open(tmp_path / 'new/a.png')).sum() == 255 * 2 * 64


def test_cvat_masks_and_lines(tmp_path):
    (tmp_path / 'a.xml').write_text(
        '<annotations><version>1.1</version><meta/><image id="0" name="a/b.png" width="6" height="4">'
        '<mask label="crack" source="manual" rle="1, 2, 1, 2" left="2" top="1" width="3" height="2"/>'
        '<polyline label="crack" points="0,0;5,3"/><polygon label="rust" points="0,0;6,0;6,4"/>'
        '</image></annotations>'
    )
    done = write_masks(tmp_path / 'a.xml', 'cvat', tmp_path / 'new')
    assert done.left_out == {'polyline': 1}
    mask = np.asarray(Image.open(tmp_path / 'new/b.png')) > 0
    assert np.argwhere(mask).tolist() == [[1, 3], [1, 4], [2, 3], [2, 4]]


def test_label_studio_takes_the_last_finished_annotation(tmp_path):
    def result(left):
        points = [[left, 0], [left + 50, 0], [left + 50, 100], [left, 100]]
        value = dict(points=points, polygonlabels=['crack'])
        return [
            dict(type='polygonlabels', original_width=4, original_height=2, image_rotation=0, value=value)
        ]

    annotations = [
        dict(result=result(0), updated_at='2026-01-02'),
        dict(result=result(50), updated_at='2026-01-03'),
        dict(result=result(0), updated_at='2026-01-04', was_cancelled=True),
    ]
    tasks = [
        dict(id=1, data=dict(image='/data/upload/7/0123abcd-wall%201.jpg'), annotations=annotations),
        dict(id=2, data=dict(image='/data/upload/7/0123abcd-clear.jpg'), annotations=[dict(result=[])]),
        dict(id=3, data=dict(image='/data/upload/7/0123abcd-later.jpg'), annotations=[]),
    ]
    (tmp_path / 'a.json').write_text(json.dumps(tasks))
    done = write_masks(tmp_path / 'a.json', 'label-studio', tmp_path / 'new')
    assert [path.name for path in done.files] == ['wall 1.png']
    assert done.unknown_size == ['clear.jpg']
    assert np.asarray(Image.open(done.files[0])).tolist() == [[0, 0, 255, 255]] * 2
    (tmp_path / 'photos').mkdir()
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new('RGB', (2, 4)).save(tmp_path / 'photos/wall 1.jpg', exif=turned)
    Image.new('RGB', (5, 3)).save(tmp_path / 'photos/clear.jpg')
    done = write_masks(tmp_path / 'a.json', 'label-studio', tmp_path / 'new', photos=tmp_path / 'photos')
    assert [Image.open(path).size for path in done.files] == [(4, 2), (5, 3)]
    Image.new('RGB', (2, 4)).save(tmp_path / 'photos/wall 1.jpg')
    with pytest.raises(ValueError, match=r'wall 1\.jpg was annotated with 4x2 pixels and has 2x4'):
        write_masks(tmp_path / 'a.json', 'label-studio', tmp_path / 'new', photos=tmp_path / 'photos')


@pytest.mark.parametrize(
    ('kind', 'content', 'message'),
    [
        ('coco', '[', 'is no JSON'),
        ('coco', '[]', 'is no COCO file'),
        ('coco', dict(images=[dict(id=3, file_name='..', width=2, height=2)]), "'..' names no photo"),
        ('coco', dict(images=[dict(id=3, file_name='a.jpg')]), "is not as coco files are: KeyError 'height'"),
        (
            'coco',
            dict(categories=[dict(id=1, name='x'), dict(id=2, name='y')]),
            "no label 'crack', but x, y; choose",
        ),
        (
            'coco',
            dict(annotations=[dict(image_id=3, category_id=1, segmentation=dict(size=[2, 2], counts=[9]))]),
            'the runs of a mask fill 9 pixels of 4',
        ),
        (
            'coco',
            dict(
                annotations=[],
                images=[
                    dict(id=k, file_name=name, width=2, height=2)
                    for k, name in ((3, 'a.jpg'), (4, 'n/A.png'))
                ],
            ),
            r'the masks of a\.jpg and A\.png would be A\.png both',
        ),
        ('label-studio', '[{"image": "a.jpg"}]', 'is no export of Label Studio'),
        (
            'label-studio',
            '[{"data": {"image": "a.jpg"}, "predictions": [{}]}]',
            'predictions alone are not taken',
        ),
        ('cvat', '<annotations', 'is no XML'),
        ('cvat', '<annotations><track/></annotations>', 'has no images of CVAT'),
    ],
)
def test_wrong_files(tmp_path, kind, content, message):
    file = tmp_path / 'a.json'
    if isinstance(content, str):
        file.write_text(content)
    else:
        coco(tmp_path, **content)
    with pytest.raises(ValueError, match=message):
        write_masks(file, kind, tmp_path / 'new')
    assert not list(tmp_path.glob('*.png'))


def test_painted_parts_stay_inside():
    with pytest.raises(ValueError, match='reaches beyond the photo of 4x3 pixels'):
        draw_mask([Bitmap(np.ones((2, 2), bool), top=2)], (3, 4))
    with pytest.raises(ValueError, match='reaches beyond the photo'):
        draw_mask([Bitmap(np.ones((2, 2), bool), left=-1)], (3, 4))
    with pytest.raises(ValueError, match='too large; lower the scale'):
        draw_mask([], (30000, 30000))
