"""DBPN against the figures of the published network."""

import numpy as np
import pytest
import torch
from helpers import published_models

from csbsr_mm.models.official_checkpoints.rules import rename
from csbsr_mm.models.official_checkpoints.sr_rules import DBPN_RULES
from csbsr_mm.models.sr import DBPN


@torch.no_grad()
def test_published_figures() -> None:
    state = published_models.published_state('dbpn_pspnet', 'sr_model.')
    renamed = rename({name.removeprefix('sr_model.'): value for name, value in state.items()}, DBPN_RULES)
    network = DBPN()
    network.load_state_dict(renamed.state)
    sr, kernel = network.double()(published_models.lr_images())
    assert kernel is None
    np.testing.assert_allclose(sr.clip(0, 1).numpy(), published_models.sr_images('dbpn_pspnet'), atol=1e-7)


def test_parameter_count() -> None:
    with torch.device('meta'):
        network = DBPN()
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(5.58, abs=0.005)


@pytest.mark.parametrize('num_stages', [2, 4, 6, 7, 8, 10])
def test_published_depths_enlarge_and_train(num_stages: int) -> None:
    torch.manual_seed(0)
    network = DBPN(num_stages=num_stages, channels=4, stem_channels=8)
    network.init_weights()
    sr, _ = network(torch.rand(2, 3, 3, 1))
    assert sr.shape == (2, 3, 12, 4)
    sr.square().mean().backward()
    assert all(p.grad.abs().sum() > 0 for name, p in network.named_parameters() if name.endswith('weight'))


@pytest.mark.parametrize('scale', [2, 4, 8])
def test_unconcatenated_is_literal(scale: int) -> None:
    lr, outputs = torch.rand(1, 3, 4, 5, dtype=torch.float64), []
    for fold in (True, False):
        torch.manual_seed(0)
        network = DBPN(scale=scale, num_stages=3, channels=4, stem_channels=8, fold=fold).double()
        outputs.append(network(lr)[0])
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-13)


@pytest.mark.parametrize('num_stages', [1, 11])
def test_refused_depth(num_stages: int) -> None:
    with pytest.raises(ValueError, match=f'num_stages must be 2 to 10, got {num_stages}'):
        DBPN(num_stages=num_stages)


def test_refused_scale() -> None:
    with pytest.raises(ValueError, match=r'DBPN: scale must be one of \(2, 4, 8\), got 3'):
        DBPN(scale=3)
