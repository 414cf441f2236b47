"""Tiled inference against the model on the whole photo."""

import copy

import cv2
import numpy as np
import pytest
import torch
from helpers.models import NORM, TINY_KBPN, tiny_csbsr, tiny_unet
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmengine.runner import save_checkpoint
from mmseg.apis import inference_model, init_model
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from csbsr_mm.apis import CrackInferencer, PhotoError, inferencer, load_checkpoint

# Two 3x3 convolutions and nothing else: an SR pixel depends on two SR pixels to each side.
LOCAL_HEAD = dict(
    type='FCNHead',
    in_channels=3,
    in_index=0,
    channels=8,
    num_convs=2,
    concat_input=False,
    dropout_ratio=0.0,
    num_classes=2,
    out_channels=1,
    threshold=0.4,
    norm_cfg=None,
)


@MODELS.register_module(name='PassThroughBackbone')
class PassThroughBackbone(torch.nn.Module):
    def forward(self, x):
        return (x,)


def local_model(**changes):
    segmentor = dict(
        type='EncoderDecoder',
        backbone=dict(type='PassThroughBackbone'),
        decode_head=LOCAL_HEAD,
        test_cfg=dict(mode='whole'),
    )
    return tiny_csbsr(
        **{'segmentor': segmentor, 'sr': dict(type='BicubicUpsampler'), 'sr_loss': None, **changes}
    )


def build(config):
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(ConfigDict(config))
    model.init_weights()
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model.eval()


def photo(height=53, width=71, seed=0):
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def whole(model, image):
    """The model's own prediction of the whole photo."""
    inputs = [torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)]
    meta = dict(ori_shape=image.shape[:2], img_shape=image.shape[:2])
    with torch.no_grad():
        return model.test_step(dict(inputs=inputs, data_samples=[SegDataSample(metainfo=meta)]))[0]


def tiled(model, image, **kwargs):
    return CrackInferencer(copy.deepcopy(model), **kwargs)(image)


@pytest.mark.parametrize('normalize', ['instance', 'dataset', None])
@pytest.mark.parametrize('on_disk', [False, True])
def test_tiled_is_whole_for_local_networks(normalize, on_disk, monkeypatch):
    """Everywhere, the photo's border and instance statistics included."""
    monkeypatch.setattr(inferencer, 'STREAM_PIXELS', 100 if on_disk else 10**9)
    model = build(local_model(normalize=normalize))
    expected = whole(model, photo())
    result = tiled(model, photo(), tile=24, overlap=12, batch_size=3)
    assert result.tiles == 20
    atol = 2e-4 if on_disk else 1e-5
    assert np.allclose(result.probability, expected.seg_prob.data[0], atol=atol)
    assert np.allclose(result.sr_image, expected.sr_img.data.permute(1, 2, 0), atol=atol)
    assert max(result.seam_rms.values()) < 1e-4
    result.close()


def test_alone_tiles_differ_where_statistics_are_their_own():
    model = build(local_model(normalize='instance'))
    shared, alone = (tiled(model, photo(), tile=24, overlap=12, per_tile=alone) for alone in (False, True))
    assert shared.seam_rms['probability'] < 1e-5 < 1e-3 < alone.seam_rms['probability']


@pytest.mark.parametrize('out_channels', [1, 2])
@pytest.mark.parametrize('per_tile', [False, True])
def test_a_photo_of_one_tile_is_what_the_model_predicts(out_channels, per_tile):
    loss = dict(type='CrossEntropyLoss', use_sigmoid=out_channels == 1)
    segmentor = tiny_unet(out_channels=out_channels, loss_decode=loss)
    preprocessor = dict(type='BlindSRDataPreProcessor', scale=4, size_divisor=4)
    model = build(tiny_csbsr(segmentor=segmentor, sr_loss=None, data_preprocessor=preprocessor))
    image = photo(12, 16)
    expected = whole(model, image)
    result = tiled(model, image, tile=20, per_tile=per_tile)
    assert np.allclose(result.probability, expected.seg_prob.data[-1], atol=1e-6)
    assert np.allclose(result.sr_image, expected.sr_img.data.permute(1, 2, 0), atol=1e-6)
    assert np.allclose(result.blur_kernel, expected.blur_kernel.data[0], atol=1e-6)
    assert np.array_equal(result.mask, expected.pred_sem_seg.data[0] == 1)


@pytest.mark.parametrize('per_tile', [False, True])
def test_a_photo_of_odd_size_goes_on_as_its_mirror_image(per_tile):
    """No black border, which networks take for a crack."""
    preprocessor = dict(type='BlindSRDataPreProcessor', scale=4, size_divisor=4)
    model = build(tiny_csbsr(sr_loss=None, data_preprocessor=preprocessor))
    image = photo(13, 17)
    mirrored = np.pad(image, ((0, 3), (0, 3), (0, 0)), mode='reflect')
    result, larger = (tiled(model, one, tile=20, per_tile=per_tile) for one in (image, mirrored))
    assert np.allclose(result.sr_image, larger.sr_image[: 4 * 13, : 4 * 17], atol=1e-6)


def test_tiles_share_one_kernel():
    """Every tile is restored with the mean kernel, as the SR network itself computes it."""
    model = build(tiny_csbsr(sr_loss=None))
    image = photo(40, 40)
    result = tiled(model, image, tile=20, overlap=0)
    lr = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    corners = [lr[..., y : y + 20, x : x + 20] for y in (0, 20) for x in (0, 20)]
    with torch.no_grad():
        kernel = torch.stack([model.sr(corner)[1] for corner in corners]).mean(0)
        restored = [model.sr(corner, kernel)[0].clamp(0, 1) for corner in corners]
    rows = [torch.cat(restored[:2], 3), torch.cat(restored[2:], 3)]
    assert np.allclose(result.blur_kernel, kernel[0, 0], atol=1e-6)
    assert np.allclose(result.sr_image, torch.cat(rows, 2)[0].permute(1, 2, 0), atol=1e-5)


def test_black_photos_of_an_untrained_model():
    init_default_scope('mmseg')
    model = MODELS.build(ConfigDict(tiny_csbsr(sr_loss=None)))
    model.init_weights()
    result = tiled(model.eval(), np.zeros((40, 30, 3), np.uint8), tile=20, overlap=4)
    assert result.tiles > 1
    assert np.isfinite(result.probability).all()
    assert result.blur_kernel.sum() == pytest.approx(1)


def test_blur_skip_sees_the_kernel():
    model = build(tiny_csbsr(sr_loss=None, blur_skip=dict(type='BlurSkipNeck', in_channels=4, kernel_size=5)))
    model.normalize.mode = None
    image = photo(20, 20)
    expected = whole(model, image)
    backend = CrackInferencer(model, tile=20).backend
    tiles = image[None].astype(np.float32) / 255
    kernel = expected.blur_kernel.data[0].numpy()
    sr_image = expected.sr_img.data.permute(1, 2, 0).numpy()[None]
    probability = backend.segment(sr_image, kernel, None)
    assert np.allclose(probability[0, ..., 0], expected.seg_prob.data[0], atol=1e-5)
    assert not np.allclose(backend.segment(sr_image, kernel[::-1].copy(), None), probability, atol=1e-4)
    assert np.allclose(backend.run(tiles).probability, probability, atol=1e-5)


@pytest.mark.parametrize('out_channels', [1, 2])
def test_any_segmentor_of_mmsegmentation(out_channels):
    """A stock model with a stock preprocessor: tiles of the photo itself, no SR image."""
    head = dict(LOCAL_HEAD, out_channels=out_channels, threshold=0.4 if out_channels == 1 else None)
    config = dict(
        type='EncoderDecoder',
        data_preprocessor=dict(
            type='SegDataPreProcessor',
            mean=[100.0, 110.0, 120.0],
            std=[50.0, 60.0, 70.0],
            bgr_to_rgb=True,
            size=(24, 24),
        ),
        backbone=dict(type='PassThroughBackbone'),
        decode_head=head,
        test_cfg=dict(mode='whole'),
    )
    model = build(config)
    result = tiled(model, photo(), tile=24, overlap=12)
    expected = whole(model, photo())
    scores = expected.seg_logits.data
    expected_prob = scores if out_channels == 1 else scores.softmax(0)[1:]
    assert np.allclose(result.probability, expected_prob[0], atol=1e-5)
    assert result.sr_image is result.blur_kernel is None
    assert np.array_equal(result.mask, expected.pred_sem_seg.data[0] == 1)
    assert np.array_equal(result.picture(result.box), photo())


def test_dsrl():
    """A segmentor that enlarges without being blind: what it predicts itself, tile by tile."""
    decoder = dict(low_channels=4, channels=8, reduced_channels=4)
    head = dict(in_channels=32, in_index=3, dilations=(1, 2), num_classes=2, out_channels=1, threshold=0.5)
    sr_head = dict(in_channels=8, up_channels=(8, 6, 6, 4))
    model = build(
        dict(
            type='DSRL',
            backbone=dict(type='DilatedResNet', depth=18, base_channels=4, stem_channels=4),
            decode_head=dict(type='DSRLHead', **decoder, **head, norm_cfg=NORM),
            sr_head=dict(type='DSRLReconstructionHead', **decoder, **sr_head),
        )
    )
    image = photo(20, 28)
    result, expected = tiled(model, image, tile=28), whole(model, image)
    assert np.allclose(result.probability, expected.seg_prob.data[0], atol=1e-6)
    assert np.allclose(result.sr_image, expected.sr_img.data.permute(1, 2, 0), atol=1e-6)
    assert result.blur_kernel is None
    assert tiled(model, photo(40, 28), tile=28).probability.shape == (160, 112)


def test_a_model_that_segments_nothing():
    config = dict(type='BlindSRPretrainer', sr=dict(type='BicubicUpsampler'))
    with pytest.raises(ValueError, match='BlindSRPretrainer segments nothing'):
        CrackInferencer(build(config))


def test_sixteen_bits_are_not_rounded():
    model = build(local_model())
    image = photo().astype(np.uint16) * 200
    fine = tiled(model, image + 100, tile=24, overlap=12)
    coarse = tiled(model, image, tile=24, overlap=12)
    difference = fine.sr_image - coarse.sr_image
    inner = (coarse.sr_image > 0.01) & (fine.sr_image < 0.99)
    assert np.allclose(difference[inner], 100 / 65535, atol=1e-5)


def test_files_and_lists(tmp_path):
    model = build(local_model())
    for name in 'ab':
        cv2.imwrite(str(tmp_path / f'{name}.png'), photo(seed=ord(name))[..., ::-1])
    infer = CrackInferencer(model, tile=24)
    results = infer([tmp_path / 'a.png', str(tmp_path / 'b.png')])
    for name, result in zip('ab', results, strict=True):
        assert np.allclose(result.probability, infer(photo(seed=ord(name))).probability, atol=1e-6)
    assert [len(result.mask) for result in infer.stream([tmp_path / 'a.png'])] == [212]
    with pytest.raises(PhotoError, match=r'missing\.png cannot be read'):
        infer(tmp_path / 'missing.png')


def test_progress_reaches_the_end():
    steps = []
    infer = CrackInferencer(build(tiny_csbsr(sr_loss=None)), tile=16, overlap=4, batch_size=2)
    infer(photo(30, 30), lambda done, total: steps.append((done, total)))
    assert steps[-1] == (5 + 9 + 9, 23)
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})


class TestCheckpoints:
    CONFIG = Config(dict(model=tiny_csbsr(sr_loss=None, sr=TINY_KBPN)))

    def test_same_as_init_model(self, tmp_path):
        path = str(tmp_path / 'model.pth')
        model = build(self.CONFIG.model)
        save_checkpoint(dict(state_dict=model.state_dict(), meta=dict(epoch=3)), path)
        infer = CrackInferencer.from_config(self.CONFIG, path, device='cpu', tile=20)
        config = copy.deepcopy(self.CONFIG)
        config.test_pipeline = [dict(type='LoadImageFromFile'), dict(type='PackBlindSRInputs')]
        expected = inference_model(init_model(config, path, device='cpu'), photo(13, 17)[..., ::-1].copy())
        result = infer(photo(13, 17))
        assert np.allclose(result.probability, expected.seg_prob.data[0], atol=1e-6)

    def test_code_in_a_checkpoint_does_not_run(self, tmp_path):
        target = tmp_path / 'ran'

        class Evil:
            def __reduce__(self):
                return target.touch, ()

        torch.save(dict(state_dict={}, meta=Evil()), tmp_path / 'evil.pth')
        with pytest.raises(ValueError, match='could run code from the file'):
            load_checkpoint(tmp_path / 'evil.pth')
        assert not target.exists()
        load_checkpoint(tmp_path / 'evil.pth', trust=True)
        assert target.exists()

    def test_checkpoint_of_another_model(self, tmp_path):
        torch.save(dict(state_dict=dict(a=torch.zeros(1))), tmp_path / 'other.pth')
        with pytest.raises(RuntimeError, match=r'does not fit the config: .* weights missing'):
            CrackInferencer.from_config(self.CONFIG, tmp_path / 'other.pth', device='cpu')

    def test_files_that_are_none(self, tmp_path):
        (tmp_path / 'text.pth').write_text('no checkpoint')
        with pytest.raises(ValueError, match=r'text\.pth is truncated, damaged, or none'):
            load_checkpoint(tmp_path / 'text.pth')
        torch.save(dict(state_dict=dict(a=torch.zeros(999))), tmp_path / 'cut.pth')
        for size in (1000, 1):
            (tmp_path / 'cut.pth').write_bytes((tmp_path / 'cut.pth').read_bytes()[:size])
            with pytest.raises(ValueError, match=r'cut\.pth is truncated, damaged, or none'):
                load_checkpoint(tmp_path / 'cut.pth')
        torch.save([1, 2], tmp_path / 'list.pth')
        with pytest.raises(ValueError, match='no state_dict'):
            load_checkpoint(tmp_path / 'list.pth')
        with pytest.raises(FileNotFoundError, match=r'missing.pth does not exist'):
            load_checkpoint(tmp_path / 'missing.pth')
        with pytest.raises(FileNotFoundError, match=r'missing.py does not exist'):
            CrackInferencer.from_config('missing.py')

    def test_what_cannot_be_built(self):
        with pytest.raises(ValueError, match=r'torch cannot use device cuda:99 here'):
            CrackInferencer.from_config(self.CONFIG, device='cuda:99')
        with pytest.raises(ValueError, match=r'has no model'):
            CrackInferencer.from_config(Config(dict(data_root='data')), device='cpu')


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(batch_size=0), 'batch_size must be at least 1, got 0'),
        (dict(threshold=1.5), r'threshold must be a probability in \[0, 1\), got 1.5'),
        (dict(tile=8, overlap=8), 'got tile=8 and overlap=8'),
    ],
)
def test_settings_out_of_range(kwargs, message):
    with pytest.raises(ValueError, match=message):
        CrackInferencer(build(local_model()), **kwargs)


def test_crack_class_of_many():
    head = dict(LOCAL_HEAD, num_classes=5, out_channels=5, threshold=None)
    config = dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', bgr_to_rgb=True),
        backbone=dict(type='PassThroughBackbone'),
        decode_head=head,
        test_cfg=dict(mode='whole'),
    )
    model = build(config)
    with pytest.raises(ValueError, match='none is called "crack"; give crack_class'):
        CrackInferencer(model)
    model.dataset_meta = dict(classes=('road', 'car', 'Crack', 'sky', 'tree'))
    assert CrackInferencer(model).backend.crack_class == 2
    by_hand = whole(model, photo(20, 20)).seg_logits.data.softmax(0)[2]
    assert np.allclose(CrackInferencer(model)(photo(20, 20)).probability[..., 0], by_hand, atol=1e-5)
