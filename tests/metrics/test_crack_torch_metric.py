"""The torchmetrics face beside the accumulator, in one process and in two."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import csbsr_mm
from csbsr_mm import metrics
from csbsr_mm.metrics import CrackMetrics

torchmetrics = pytest.importorskip('torchmetrics')
QUICK = dict(thresholds=[0.2, 0.4, 0.6, 0.8], at=(0.5,))


def images(count=5):
    """Probabilities (N, 30, 34) and their masks; the second has no crack."""
    rng = np.random.default_rng(0)
    truth = np.zeros((count, 30, 34), np.int64)
    for number in range(count):
        if number != 1:
            row = rng.integers(5, 20)
            truth[number, row : row + 4, 3:30] = 1
    prob = np.clip(0.5 * truth + 0.45 * rng.random(truth.shape), 0, 1).astype(np.float32)
    return torch.from_numpy(prob), torch.from_numpy(truth)


def expected(prob, truth, ignore=None, **options):
    own = CrackMetrics(**(QUICK | options))
    for number in range(len(prob)):
        own.update(prob[number], truth[number], None if ignore is None else ignore[number])
    return own.compute()


def plain(figures):
    return {name: value.item() for name, value in figures.items()}


def same(found, figures):
    assert plain(found) == pytest.approx(figures, rel=0, abs=0, nan_ok=True)


def test_figures_are_the_accumulators_to_the_last_bit():
    prob, truth = images()
    metric = metrics.CrackTorchMetric(**QUICK)
    assert isinstance(metric, torchmetrics.Metric)
    metric.update(prob[:2], truth[:2])
    metric.update(prob[2:4, None], truth[2:4, None])
    metric.update(prob[4], truth[4])
    same(metric.compute(), expected(prob, truth))
    assert all(value.dtype == torch.float64 for value in metric.compute().values())
    metric.reset()
    metric.update(prob[:1], truth[:1])
    same(metric.compute(), expected(prob[:1], truth[:1]))


def test_forward_gives_the_batch_and_keeps_the_rest():
    prob, truth = images()
    metric = metrics.CrackTorchMetric(**QUICK, measures=['overlap', 'f1'])
    metric(prob[:3], truth[:3])
    batch = metric(prob[3:], truth[3:])
    same(batch, expected(prob[3:], truth[3:], measures=['overlap', 'f1']))
    same(metric.compute(), expected(prob, truth, measures=['overlap', 'f1']))


def test_in_a_collection_beside_others():
    prob, truth = images()
    own = metrics.CrackTorchMetric(**QUICK, measures=['overlap'], smooth=0.0)
    strict = metrics.CrackTorchMetric(**QUICK, measures=['hausdorff'])
    pixels = torchmetrics.classification.BinaryJaccardIndex()
    together = torchmetrics.MetricCollection(dict(crack=own, distance=strict, iou=pixels), prefix='val/')
    together.update(prob[:2], truth[:2])
    together.update(prob[2:], truth[2:])
    found = plain(together.compute())
    assert found['val/IoU_max'] == expected(prob, truth, measures=['overlap'], smooth=0.0)['IoU_max']
    assert found['val/HD95_min'] == expected(prob, truth)['HD95_min']
    whole = CrackMetrics(**QUICK, measures=['pooled_overlap'], smooth=0.0)
    for number in range(len(prob)):
        whole.update(prob[number], truth[number])
    assert found['val/iou'] == pytest.approx(whole.compute()['IoU_pooled_at_0.5'], abs=1e-6)


def test_ignored_pixels_and_half_precision():
    prob, truth = images()
    ignore = torch.zeros_like(truth, dtype=torch.bool)
    ignore[:, :, :9] = True
    metric = metrics.CrackTorchMetric(**QUICK, ignore_index=255)
    metric.update(prob.half(), truth.masked_fill(ignore, 255))
    same(metric.compute(), expected(prob.half().float(), truth, ignore))


def test_state_survives_saving_merging_and_casting():
    prob, truth = images()
    first, second = (metrics.CrackTorchMetric(**QUICK) for _ in range(2))
    first.persistent(True)
    first.update(prob[:2], truth[:2])
    first.set_dtype(torch.float16)
    restored = metrics.CrackTorchMetric(**QUICK)
    restored.persistent(True)
    restored.load_state_dict(first.state_dict())
    second.update(prob[2:], truth[2:])
    restored.merge_state(second)
    figures, whole = plain(restored.compute()), expected(prob, truth)
    # torchmetrics merges the other's images before one's own; the sum over images is rounded in that order.
    assert figures == pytest.approx(whole, rel=1e-14, nan_ok=True)


def test_values_of_each_image():
    prob, truth = images()
    metric = metrics.CrackTorchMetric(**QUICK, measures=['overlap'])
    metric.update(prob, truth)
    rows = metric.accumulated().per_image()
    assert np.mean([row['IoU_max'] for row in rows]) == pytest.approx(metric.compute()['IoU_max'].item())


# One of two processes, which see different numbers of images, and then one of them all.
# Without MMSegmentation, whose import takes longer than the rest.
PROCESS = """
import sys, types
import torch
rank, folder, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
package = types.ModuleType('csbsr_mm')
package.__path__ = [path]
sys.modules['csbsr_mm'] = package
from csbsr_mm.metrics import CrackTorchMetric
torch.distributed.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)
prob, truth, options, shares = torch.load(f'{folder}/images.pt')
results = []
for share in shares:
    metric = CrackTorchMetric(**options)
    for number in share[rank]:
        metric.update(prob[number], truth[number])
    with metric.sync_context():
        shared = len(metric.accumulated())
    found = {name: value.item() for name, value in metric.compute().items()}
    results.append((found, shared, len(metric.accumulated())))
torch.save(results, f'{folder}/{rank}.pt')
torch.distributed.destroy_process_group()
"""


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason='torch without gloo')
def test_two_processes_are_one(tmp_path):
    shares = [((0, 2, 4), (1, 3)), ((0, 1, 2, 3, 4), ())]
    prob, truth = images()
    torch.save((prob, truth, QUICK, shares), tmp_path / 'images.pt')
    words = [str(tmp_path), csbsr_mm.__path__[0]]
    running = [
        subprocess.Popen([sys.executable, '-W', 'ignore', '-c', PROCESS, str(rank), *words])
        for rank in (0, 1)
    ]
    assert [process.wait(timeout=600) for process in running] == [0, 0]
    for rank in range(2):
        for share, (found, shared, own) in zip(shares, torch.load(tmp_path / f'{rank}.pt'), strict=True):
            order = [*share[0], *share[1]]
            assert found == pytest.approx(expected(prob[order], truth[order]), rel=0, abs=0, nan_ok=True)
            assert (shared, own) == (5, len(share[rank]))


def test_bad_batches_are_named():
    metric, (prob, truth) = metrics.CrackTorchMetric(**QUICK), images()
    with pytest.raises(ValueError, match=r'preds must be .* got \(5, 2, 30, 34\); of several channels'):
        metric.update(torch.stack([1 - prob, prob], 1), truth)
    with pytest.raises(ValueError, match='preds are 5 images and target 4'):
        metric.update(prob, truth[:4])
    broken = prob.clone()
    broken[3, 2, 2] = 3
    with pytest.raises(ValueError, match='image 3 of the batch: prob ranges from'):
        metric.update(broken, truth)
    with pytest.raises(ValueError, match=r'image 0 of the batch: prob is of torch\.int64'):
        metric.update(truth, truth)
    with (
        pytest.warns(UserWarning, match='before the ``update``'),
        pytest.raises(ValueError, match='no image was measured'),
    ):
        metrics.CrackTorchMetric(**QUICK).compute()


def test_without_torchmetrics_the_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, 'csbsr_mm.metrics.crack_torch_metric', raising=False)
    monkeypatch.setattr('csbsr_mm._extras.importlib.util.find_spec', lambda name: None)
    with pytest.raises(ImportError, match=r"needs torchmetrics, .*: pip install 'csbsr_mm\[torchmetrics\]'"):
        _ = metrics.CrackTorchMetric
    metrics.CrackMetrics(measures=['overlap'])
    with pytest.raises(AttributeError, match='no attribute'):
        _ = metrics.CrackMetric
