"""MMSegmentation's own APIs on an LR photo whose sides are a multiple of nothing."""

import copy

import cv2
import numpy as np
import pytest
import torch
from helpers.models import tiny_csbsr, tiny_unet
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmengine.runner import save_checkpoint
from mmseg.apis import MMSegInferencer, inference_model, init_model
from mmseg.registry import MODELS

import csbsr_mm  # noqa: F401

SIZE = (13, 17)
OUTPUT = (52, 68)
META = dict(classes=('background', 'crack'), palette=[[0, 0, 0], [220, 20, 20]])
PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='BinarizeMask', threshold=127),
    dict(type='BlindDegradation', only_dataset_images=True),
    dict(type='PackBlindSRInputs'),
]
TTA_PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='BlindDegradation', only_dataset_images=True),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale_factor=factor, keep_ratio=True) for factor in (1.0, 1.5)],
            [dict(type='RandomFlip', prob=p, direction='horizontal') for p in (0.0, 1.0)],
            [dict(type='PackBlindSRInputs')],
        ],
    ),
]


@pytest.fixture(params=[1, 2], ids=['one_logit', 'two_logits'])
def config(request):
    loss = dict(type='CrossEntropyLoss', use_sigmoid=request.param == 1)
    segmentor = tiny_unet(out_channels=request.param, loss_decode=loss)
    preprocessor = dict(type='BlindSRDataPreProcessor', scale=4, size_divisor=4)
    return Config(
        dict(
            default_scope='mmseg',
            model=tiny_csbsr(segmentor=segmentor, data_preprocessor=preprocessor, sr_loss=None),
            test_pipeline=PIPELINE,
            tta_pipeline=TTA_PIPELINE,
            test_dataloader=dict(dataset=dict(pipeline=copy.deepcopy(PIPELINE))),
            visualizer=dict(type='BlindSRLocalVisualizer'),
        )
    )


@pytest.fixture
def checkpoint(config, tmp_path):
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    path = tmp_path / 'model.pth'
    save_checkpoint(dict(state_dict=model.state_dict(), meta=dict(dataset_meta=META)), str(path))
    return str(path)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / 'photo.png'
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8))
    return str(path)


def test_init_and_inference_model(config, checkpoint, photo):
    """The file, the array, and the networks called by hand give the same numbers."""
    model = init_model(config, checkpoint, device='cpu')
    sample = inference_model(model, photo)
    assert sample.pred_sem_seg.shape == sample.seg_prob.shape == sample.sr_img.shape == OUTPUT
    array = cv2.imread(photo)
    assert torch.equal(inference_model(model, array).seg_prob.data, sample.seg_prob.data)

    lr = torch.from_numpy(array[..., ::-1].copy()).permute(2, 0, 1)[None] / 255
    padded = torch.nn.functional.pad(lr, (0, 3, 0, 3))
    with torch.no_grad():
        sr_image, kernel = model.sr(padded)
    expected = sr_image.clamp(0, 1)[0, :, : OUTPUT[0], : OUTPUT[1]]
    assert torch.allclose(sample.sr_img.data, expected, atol=1e-6)
    assert torch.allclose(sample.blur_kernel.data, kernel[0])


def test_mmseg_inferencer_draws_and_stores(config, checkpoint, photo, tmp_path):
    inferencer = MMSegInferencer(config, checkpoint, device='cpu')
    result = inferencer(photo, out_dir=str(tmp_path / 'out'), return_vis=True)
    expected = inference_model(init_model(config, checkpoint, device='cpu'), photo)
    assert np.array_equal(result['predictions'], expected.pred_sem_seg.data[0].numpy())
    assert result['visualization'].shape == (*OUTPUT, 3)
    drawn = cv2.imread(str(tmp_path / 'out/vis/photo.png'))
    assert drawn.shape == (*OUTPUT, 3)
    stored = cv2.imread(str(tmp_path / 'out/pred/00000000_pred.png'), cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(stored, result['predictions'])


def test_time_augmentation(config, checkpoint, photo):
    """The merged probability is the mean over versions that are run and turned back by hand."""
    model = init_model(config, checkpoint, device='cpu')
    tta = MODELS.build(dict(type='BlindSRTTAModel', module=model))
    data = Compose(config.tta_pipeline)(dict(img_path=photo))
    data = {key: [[value] for value in values] for key, values in data.items()}
    with torch.no_grad():
        merged = tta.test_step(data)[0]
    assert merged.seg_prob.shape == merged.sr_img.shape == OUTPUT

    image = cv2.imread(photo)
    probabilities, sr_images, kernels = [], [], []
    for factor in (1.0, 1.5):
        size = tuple(int(factor * side + 0.5) for side in SIZE)
        resized = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
        for flip in (False, True):
            version = np.ascontiguousarray(resized[:, ::-1]) if flip else resized
            sample = inference_model(model, version)
            back = (lambda x: x.flip(-1)) if flip else (lambda x: x)
            logits = back(sample.seg_logits.data)[None]
            if factor != 1:
                logits = torch.nn.functional.interpolate(logits, OUTPUT, mode='bilinear')
                sr = torch.nn.functional.interpolate(back(sample.sr_img.data)[None], OUTPUT, mode='bilinear')
            else:
                sr = back(sample.sr_img.data)[None]
                kernels.append(back(sample.blur_kernel.data))
            one = logits.shape[1] == 1
            probabilities.append(logits.sigmoid()[0] if one else logits.softmax(1)[0])
            sr_images.append(sr[0])
    expected = torch.stack(probabilities).mean(0)
    assert torch.allclose(merged.seg_prob.data, expected, atol=1e-5)
    assert torch.allclose(merged.sr_img.data, torch.stack(sr_images).mean(0), atol=1e-5)
    assert torch.allclose(merged.blur_kernel.data, torch.stack(kernels).mean(0), atol=1e-6)
    mask = expected > 0.5 if len(expected) == 1 else expected.argmax(0, keepdim=True)
    assert torch.equal(merged.pred_sem_seg.data, mask.long())
    back_to_prob = (
        merged.seg_logits.data.sigmoid() if len(expected) == 1 else merged.seg_logits.data.softmax(0)
    )
    assert torch.allclose(back_to_prob, expected, atol=1e-5)
