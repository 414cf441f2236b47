"""Random cases for metrics, distances, losses and the checkpoint reader, each checked against something else.

The metrics' twins are in ``fuzz_twins.py``.

python tools/fuzz.py --seconds 600 --seed 7          # all kinds in turn
python tools/fuzz.py losses --seed 7 --case 4211     # one case again

Stops at the first failure, and prints how to run that case alone.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import pickle
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import fuzz_twins as twins
import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from csbsr_mm.functional import (
    aggregation,
    boundary_loss,
    calibration,
    centerline_sweep,
    dice_loss,
    generalized_dice_loss,
    hausdorff_sweep,
    overlap_sweep,
    robust_hausdorff,
    signed_distance,
    surface_sweep,
    tolerance_sweep,
    weighted_cross_entropy,
)

IGNORED = 255
TOLERANCES = (0.0, 1.0, 1.5, 2.0, 5.0)


def main(argv: list[str]) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('kinds', nargs='*', metavar='KIND', help=f'{", ".join(KINDS)} (all)')
    parser.add_argument('--seed', type=int, default=0, help='of the cases (0)')
    parser.add_argument('--seconds', type=float, default=60, help='time limit (60)')
    parser.add_argument('--case', type=int, help='this case only')
    args = parser.parse_args(argv)
    unknown = sorted(set(args.kinds) - set(KINDS))
    if unknown:
        parser.error(f'unknown kind {unknown[0]!r}; there are {", ".join(KINDS)}')
    kinds, begun, done = args.kinds or list(KINDS), time.monotonic(), 0
    for case in count() if args.case is None else [args.case]:
        for kind in kinds:
            try:
                KINDS[kind](np.random.default_rng([args.seed, case]))
            except Exception as error:
                again = f'tools/fuzz.py {kind} --seed {args.seed} --case {case}'
                print(f'{kind}: {type(error).__name__}: {error}\nagain: python {again}', file=sys.stderr)
                return 1
            done += 1
        if time.monotonic() - begun > args.seconds:
            break
    print(f'{done} cases of {", ".join(kinds)}, seed {args.seed}: no failure')
    return 0


def sweeps(rng: np.random.Generator) -> None:
    """All thresholds at once give what each gives alone."""
    prob, target, ignore = _photo(rng)
    thresholds = _thresholds(rng, prob)
    both, either = overlap_sweep(prob, target, thresholds, ignore)
    distances = hausdorff_sweep(prob, target, thresholds, 95.0, ignore=ignore)
    known = np.ones_like(target) if ignore is None else ~ignore
    for place, threshold in enumerate(thresholds):
        pred = prob > threshold
        np.testing.assert_equal(both[place], (pred & target & known).sum())
        np.testing.assert_equal(either[place], ((pred | target) & known).sum())
        np.testing.assert_equal(distances[place], robust_hausdorff(pred, target, 95.0, ignore=ignore))


def tolerances(rng: np.random.Generator) -> None:
    """Precision and recall with tolerances, and every aggregation, are those of all pairs of pixels."""
    sets, chosen = [_photo(rng) for _ in range(rng.integers(1, 4))], rng.choice(TOLERANCES, 2)
    thresholds = _thresholds(rng, sets[0][0])
    images, expected = [], []
    for prob, target, ignore in sets:
        counts = tolerance_sweep(prob, target, thresholds, chosen, ignore)
        masks, true = _masks(prob, target, thresholds, ignore)
        rows = []
        for place, pred in enumerate(masks):
            for number, tolerance in enumerate(chosen):
                near = twins.count_near(pred, true, tolerance), twins.count_near(true, pred, tolerance)
                found = counts.correct[number, place], counts.found[number, place]
                np.testing.assert_equal(found, near)
            np.testing.assert_equal((counts.predicted[place], counts.true), (pred.sum(), true.sum()))
            rows.append((near[0], pred.sum(), near[1], true.sum()))
        expected.append(rows)
        images.append((counts.correct[-1], counts.predicted, counts.found[-1], np.array([counts.true])))
    stacked = aggregation.MatchedPixels(*map(np.stack, zip(*images, strict=True)))
    for name, value in twins.aggregated(expected).items():
        np.testing.assert_allclose(getattr(aggregation, name)(stacked), value, rtol=1e-12, atol=1e-12)


def surfaces(rng: np.random.Generator) -> None:
    """Hausdorff distances, surface Dice and boundary F1 have the contours of all pairs of elements."""
    prob, target, ignore = _photo(rng)
    thresholds, tolerance = _thresholds(rng, prob), rng.choice(TOLERANCES)
    percents = [float(rng.choice([50, 95, 100])), float(rng.uniform(1, 100))]
    distances = hausdorff_sweep(prob, target, thresholds, percents, ignore=ignore)
    counts = surface_sweep(prob, target, thresholds, tolerance, ignore=ignore)
    masks, true = _masks(prob, target, thresholds, ignore)
    for place, pred in enumerate(masks):
        for number, percent in enumerate(percents):
            low, high = twins.hausdorff_range(pred, true, percent)
            if not low - 1e-6 <= distances[number, place] <= high + 1e-6:
                raise AssertionError(f'HD{percent:g} is {distances[number, place]}, expected {low} to {high}')
        found = (
            counts.predicted[place],
            counts.predicted_within[place],
            counts.true,
            counts.true_within[place],
        )
        expected = twins.surface_lengths(pred, true, tolerance)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def centerlines(rng: np.random.Generator) -> None:
    """Centre lines at all thresholds are scikit-image's at each, and near is what all pairs say."""
    from skimage.morphology import thin

    prob, target, ignore = _photo(rng)
    thresholds, tolerance = _thresholds(rng, prob), rng.choice(TOLERANCES)
    counts = centerline_sweep(prob, target, thresholds, tolerance, ignore)
    masks, true = _masks(prob, target, thresholds, ignore)
    true_line = thin(true)
    for place, pred in enumerate(masks):
        line = thin(pred)
        found = [float(np.asarray(values)[place] if np.ndim(values) else values) for values in counts]
        expected = [
            line.sum(),
            twins.count_near(line, true, tolerance),
            twins.count_near(line, true_line, tolerance),
            true_line.sum(),
            twins.count_near(true_line, pred, tolerance),
            twins.count_near(true_line, line, tolerance),
        ]
        np.testing.assert_equal(found, expected)


def calibrations(rng: np.random.Generator) -> None:
    """Calibration error and Brier score are those of a loop over bins."""
    prob, target, ignore = _photo(rng)
    bins = int(rng.integers(1, 20))
    counts = calibration.calibration_counts(prob, target, bins, ignore)
    found = calibration.expected_calibration_error(counts), calibration.brier_score(counts)
    known = np.ones_like(target) if ignore is None else ~ignore
    expected = twins.calibration(prob[known], target[known], bins) if known.any() else (np.nan, np.nan)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def distances(rng: np.random.Generator) -> None:
    """Signed distances are SciPy's."""
    _, mask, _ = _photo(rng)
    found = signed_distance(mask, normalize=False)
    if not mask.any() or mask.all():
        np.testing.assert_equal(found, np.zeros_like(found))
        return
    inside = distance_transform_edt(mask)
    expected = np.where(mask, np.where(inside == 1, 0, -inside), distance_transform_edt(~mask))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def losses(rng: np.random.Generator) -> None:
    """Order of classes, of images, and what stands on ignored pixels change nothing; gradients are finite."""
    channels, size = int(rng.integers(1, 5)), tuple(rng.integers(1, 9, 2))
    classes, images = max(2, channels), int(rng.integers(1, 4))
    logits = torch.from_numpy(rng.normal(0, rng.choice([1, 30]), (images, channels, *size)))
    label = torch.from_numpy(rng.integers(0, classes, (images, *size)))
    ignored = torch.from_numpy(rng.random((images, *size)) < rng.choice([0, 0.3, 1]))
    label = label.masked_fill(ignored, IGNORED)
    chosen = rng.permutation(classes)[: int(rng.integers(1, classes + 1))].tolist()
    order, other = torch.from_numpy(rng.permutation(images)), torch.randn_like(logits)
    for loss in (dice_loss, generalized_dice_loss, boundary_loss):
        value = loss(logits, label, classes=chosen, reduction='image')
        # Of two classes the boundary term has one map, that of the last one chosen.
        if loss is not boundary_loss or classes > 2:
            _close(value, loss(logits, label, classes=sorted(chosen), reduction='image'))
        _close(value[order], loss(logits[order], label[order], classes=chosen, reduction='image'))
        changed = torch.where(ignored[:, None], other, logits)
        _close(value, loss(changed, label, classes=chosen, reduction='image'))
    inputs = logits.clone().requires_grad_()
    total = weighted_cross_entropy(inputs, label) + dice_loss(inputs, label) + boundary_loss(inputs, label)
    (gradient,) = torch.autograd.grad(total, inputs)
    if not (torch.isfinite(total) and torch.isfinite(gradient).all()):
        raise AssertionError('loss or gradient is not finite')
    if gradient[ignored[:, None].expand_as(gradient)].any():
        raise AssertionError('an ignored pixel has a gradient')


def checkpoints(rng: np.random.Generator) -> None:
    """A mutated checkpoint is read as data or refused, whatever else it is."""
    from csbsr_mm.engine.checkpoint import CheckpointError, read_checkpoint

    buffer = io.BytesIO()
    zipped = bool(rng.integers(2))
    content = dict(state_dict=dict(a=torch.zeros(2)), meta=dict(iter=1, names=['a', ('b', 2.0)]))
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    damaged = bytearray(buffer.getvalue())
    for place in rng.integers(0, len(damaged), int(rng.integers(1, 5))):
        damaged[place] = rng.choice([rng.integers(256), *pickle.REDUCE, *pickle.BUILD, *pickle.STOP])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'mutant.pth'
        path.write_bytes(damaged[: int(rng.integers(1, len(damaged) + 1))] if rng.integers(2) else damaged)
        with contextlib.suppress(CheckpointError):
            read_checkpoint(path)


KINDS: dict[str, Callable[[np.random.Generator], None]] = dict(
    sweeps=sweeps,
    tolerances=tolerances,
    surfaces=surfaces,
    centerlines=centerlines,
    calibrations=calibrations,
    distances=distances,
    losses=losses,
    checkpoints=checkpoints,
)


def _photo(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Probabilities with ties, a mask, and pixels to ignore or None; often thin, empty or full."""
    size = tuple(rng.integers(1, 20, 2))
    prob = rng.integers(0, rng.choice([2, 5, 1000]), size) / 1000
    prob = (prob / max(prob.max(), 1e-9)).astype(np.float32)
    target = rng.random(size) < rng.choice([0, 0.05, 0.5, 1])
    ignore = rng.random(size) < 0.2 if rng.integers(2) else None
    return prob, target, ignore


def _thresholds(rng: np.random.Generator, prob: np.ndarray) -> np.ndarray:
    """Four thresholds in any order, some of them equal to a probability or to each other."""
    return rng.choice(np.concatenate([prob.ravel()[:3], rng.random(5)]), 4).astype(np.float32)


def _masks(
    prob: np.ndarray, target: np.ndarray, thresholds: np.ndarray, ignore: np.ndarray | None
) -> tuple[list[np.ndarray], np.ndarray]:
    """Predicted masks at each threshold and the true mask, without ignored pixels."""
    known = np.ones_like(target) if ignore is None else ~ignore
    return [(prob > threshold) & known for threshold in thresholds], target & known


def _close(first: torch.Tensor, second: torch.Tensor) -> None:
    torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-9)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
