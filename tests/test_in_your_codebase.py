"""What the page says of other codebases does what it says there, beyond running."""

from pathlib import Path

import pytest
import torch
from helpers.stand_ins import take_the_place_of_what_is_missing

from csbsr_mm.losses import AlphaSchedule, BoundaryComboLoss

mktestdocs = pytest.importorskip('mktestdocs')
PAGE = Path(__file__).parents[1] / 'docs/in_your_codebase.md'


def block(beginning, **names):
    """Names of the page's block that begins with an import."""
    found = [b for b in mktestdocs.grab_code_blocks(PAGE.read_text()) if b.lstrip().startswith(beginning)]
    assert len(found) == 1
    scope = dict(torch=torch, AlphaSchedule=AlphaSchedule, BoundaryComboLoss=BoundaryComboLoss) | names
    exec(found[0], scope)
    return scope


@pytest.fixture
def trainer(monkeypatch):
    take_the_place_of_what_is_missing(monkeypatch, always=True)
    return block('from nnunetv2')['nnUNetTrainerBoundary']


def outputs_and_targets(sizes=(16, 8, 4)):
    torch.manual_seed(0)
    outputs = [torch.randn(2, 2, size, size) for size in sizes]
    targets = [torch.randint(3, (2, 1, size, size)).float() for size in sizes]
    return outputs, targets


def test_nnunet_trainer_weights_resolutions_and_leaves_ignored_pixels_out(trainer):
    own = trainer(ignore_label=2)
    loss, (outputs, targets) = own._build_loss(), outputs_and_targets()
    own.combo.set_alpha(0.3)
    plain = BoundaryComboLoss(alpha=0.3)
    values = [plain(o, t[:, 0].long(), ignore_index=2) for o, t in zip(outputs, targets, strict=True)]
    torch.testing.assert_close(loss(outputs, targets), 2 / 3 * values[0] + 1 / 3 * values[1])
    alone = trainer(enable_deep_supervision=False, ignore_label=2)
    loss = alone._build_loss()
    alone.combo.set_alpha(0.3)
    torch.testing.assert_close(loss(outputs[0], targets[0]), values[0])


def test_nnunet_trainer_raises_alpha_by_its_epochs(trainer):
    own = trainer(num_epochs=100)
    own._build_loss()
    found = []
    for own.current_epoch in (0, 50, 100):
        own.on_train_epoch_start()
        found.append(round(own.combo.alpha.item(), 6))
    assert found == [0, 0.49, 0.99]


def test_hugging_face_trainer_raises_alpha_and_measures_every_image(monkeypatch):
    take_the_place_of_what_is_missing(monkeypatch, always=True)
    from csbsr_mm.metrics import CrackMetrics

    labels = torch.zeros(4, 16, 16, dtype=torch.long)
    labels[:, 7:9] = 1
    images, measured = torch.rand(4, 3, 16, 16), []
    monkeypatch.setattr(CrackMetrics, 'reset', lambda self: measured.append(len(self)))
    scope = block('from transformers', CrackMetrics=CrackMetrics, images=images, labels=labels)
    assert measured == [4]
    assert scope['combo'].alpha.item() == pytest.approx(scope['alpha'].alpha_at(5))
