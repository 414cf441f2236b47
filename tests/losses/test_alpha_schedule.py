"""α in a training loop of one's own."""

import pytest
import torch

from csbsr_mm.losses import AlphaSchedule, BoundaryComboLoss


def test_moves_losses_that_are_not_fixed():
    moving, fixed = BoundaryComboLoss(), BoundaryComboLoss(alpha=0.3)
    schedule = AlphaSchedule(moving, fixed, epoch_iters=2, start=0.1, end=0.12)
    found = [round(moving.alpha.item(), 3)]
    for _ in range(6):
        schedule.step()
        found.append(round(moving.alpha.item(), 3))
    assert found == [0.1, 0.1, 0.11, 0.11, 0.12, 0.12, 0.12]
    assert fixed.alpha.item() == pytest.approx(0.3)


def test_resumes():
    first, second = (AlphaSchedule(BoundaryComboLoss(), total_iters=50) for _ in range(2))
    for _ in range(17):
        first.step()
    second.load_state_dict(first.state_dict())
    assert second.alpha == first.alpha == 0.33
    assert second.losses[0].alpha.item() == pytest.approx(0.33)


def test_is_the_hooks_schedule():
    from csbsr_mm.engine.hooks import BoundaryRebalanceHook

    hook = BoundaryRebalanceHook(fraction=0.7, begin=13, end=0.8, step=0.03)
    schedule = AlphaSchedule(total_iters=0.7 * 187, begin=13, end=0.8, increment=0.03)
    assert [hook.alpha_at(i, 200) for i in range(220)] == [schedule.alpha_at(i) for i in range(220)]


def test_a_loop_without_frameworks_learns():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    images = torch.rand(2, 3, 24, 24)
    labels = (images[:, 0] > 0.7).long()
    model, loss = torch.nn.Conv2d(3, 1, 3, padding=1), BoundaryComboLoss()
    schedule = AlphaSchedule(loss, total_iters=150, end=0.5)
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    for _ in range(150):
        optimizer.zero_grad()
        loss(model(images), labels).backward()
        optimizer.step()
        schedule.step()
    predicted = model(images)[:, 0] > 0
    assert ((predicted & (labels == 1)).sum() / (predicted | (labels == 1)).sum()).item() > 0.7


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(), 'give epoch_iters or total_iters'),
        (dict(epoch_iters=3, total_iters=3), 'give epoch_iters or total_iters'),
        (dict(epoch_iters=0), 'epoch_iters must be >= 1, got 0'),
        (dict(total_iters=9, start=0.5, end=0.4), 'start=0.5, end=0.4'),
        (dict(total_iters=9, increment=0), 'step must be > 0, got 0'),
        (dict(total_iters=9, begin=-1), 'begin must be >= 0, got -1'),
    ],
)
def test_bad_values_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        AlphaSchedule(**arguments)
