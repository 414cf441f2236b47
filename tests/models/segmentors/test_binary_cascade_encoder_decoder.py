"""BinaryCascadeEncoderDecoder against MMSegmentation's cascade."""

import copy

import pytest
import torch
from helpers.base_models import ONE_LOGIT, TWO_LOGITS, build, samples, total_loss, without_gradient


def cascade(kind='BinaryCascadeEncoderDecoder', options=ONE_LOGIT, norm_cfg=None, stages=2):
    head = dict(in_channels=6, in_index=0, channels=6, norm_cfg=norm_cfg, dropout_ratio=0.0, **options)
    return build(
        dict(
            type=kind,
            num_stages=stages,
            backbone=dict(type='VGG', depth=11, base_channels=6, out_indices=(0,)),
            decode_head=[
                dict(type='FCNHead', num_convs=1, concat_input=False, **head),
                *[dict(type='OCRHead', ocr_channels=4, **head)] * (stages - 1),
            ],
            test_cfg=dict(mode='whole'),
        )
    )


def updates(model):
    """How often each batch norm of the first head has updated its statistics."""
    return {
        int(module.num_batches_tracked)
        for module in model.decode_head[0].modules()
        if isinstance(module, torch.nn.BatchNorm2d)
    }


@pytest.mark.parametrize(
    ('kind', 'times'), [('BinaryCascadeEncoderDecoder', 1), ('CascadeEncoderDecoder', 2)]
)
def test_first_head_runs_once(kind, times):
    model = cascade(kind, norm_cfg=dict(type='BN')).train()
    model.loss(torch.rand(2, 3, 16, 16), samples((16, 16)))
    assert updates(model) == {times}


@pytest.mark.parametrize('stages', [2, 3])
@pytest.mark.parametrize('options', [ONE_LOGIT, TWO_LOGITS])
def test_same_losses_and_gradients_where_nothing_depends_on_the_number_of_runs(options, stages):
    torch.manual_seed(0)
    ours = cascade(options=options, stages=stages).double()
    theirs = cascade('CascadeEncoderDecoder', options=options, stages=stages).double()
    theirs.load_state_dict(ours.state_dict())
    image = torch.rand(2, 3, 16, 16, dtype=torch.float64)
    mine = ours.loss(image, samples((16, 16)))
    reference = theirs.loss(image, samples((16, 16)))
    assert mine.keys() == reference.keys()
    for name, value in reference.items():
        torch.testing.assert_close(mine[name], value)
    total_loss(mine).backward()
    total_loss(reference).backward()
    for parameter, twin in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, twin.grad)


def test_predicts_with_one_logit():
    model = cascade().eval()
    model.decode_head[-1].conv_seg.bias.data.fill_(0.1)
    result = model.predict(torch.rand(1, 3, 20, 17))[0]
    probability = result.seg_logits.data
    assert torch.equal(result.pred_sem_seg.data, (probability > 0.5).to(probability))
    assert probability.shape == (1, 20, 17)


def test_query_and_key_learn_with_two_classes():
    model = cascade(options=TWO_LOGITS, norm_cfg=dict(type='BN')).train()
    total_loss(model.loss(torch.rand(2, 3, 16, 16), samples((16, 16)))).backward()
    assert not without_gradient(model)


def test_copies_keep_their_threshold():
    """EMA deep-copies the model."""
    assert copy.deepcopy(cascade()).decode_head.threshold == 0.5
