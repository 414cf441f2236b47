"""From folders of photos and masks to a model file: ``csbsr finetune``."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from csbsr_mm.metrics.paired_difference import paired_difference
from csbsr_mm.models.segmentors import BlindSRSegmentor
from csbsr_mm.weights import ModelFile, open_weights
from csbsr_mm.weights.export import write_model_file
from csbsr_mm.weights.tensor_file import SUFFIX

from .finetuning import Outcome, Schedule, cross_validate, finetune
from .inferencer import CrackInferencer
from .labelled_photos import WINDOW, LabelledPhoto, find_pairs, load_labelled_photos

NO_GAIN = 1


def run_finetuning(args: argparse.Namespace) -> int:
    """Fine-tune weights: ``csbsr finetune``.

    Args:
        args: As :mod:`csbsr_mm.cli.finetune` reads them.

    Returns:
        0; 1 if it would not help, and nothing was written.

    Raises:
        FileNotFoundError: There are no such weights, photos or masks.
        ValueError: There are too few photos, masks do not fit, or the weights are of another kind of model.
    """
    console = Console()
    if args.out.suffix != SUFFIX:
        raise ValueError(f'a model file is called NAME{SUFFIX}, got {args.out}')
    file = open_weights(args.weights)
    inferencer = CrackInferencer.from_weights(args.weights, args.device)
    model = getattr(inferencer.backend, 'model', None)
    if not isinstance(model, BlindSRSegmentor):
        raise ValueError(f'{args.weights} holds a {type(model).__name__}, expected a BlindSRSegmentor')
    pairs = find_pairs(args.photos, args.masks)
    schedule = Schedule(args.iterations, args.learning_rate, seed=args.seed)
    with Progress(console=console, transient=True) as bar:
        photos = list(
            load_labelled_photos(inferencer, pairs, args.window or WINDOW, _step(bar, 'Enlarging photos'))
        )
        outcome = cross_validate(model, photos, schedule, args.folds, _step(bar, 'Trying on held-out photos'))
    _report(outcome, console)
    if args.json:
        args.json.write_text(json.dumps(_figures(outcome), indent=1) + '\n', encoding='utf-8')
    if outcome.choice == 'nothing':
        console.print('not better on photos that it did not see: nothing is written; label more photos')
        return NO_GAIN
    _write(args, file, model, photos, schedule, outcome)
    console.print(f'{args.out} written; csbsr predict PHOTOS --weights {args.out} --out-dir report')
    return 0


def _step(bar: Progress, title: str):
    task = bar.add_task(title, total=None)
    return lambda done, total: bar.update(task, completed=done, total=total)


def _write(
    args: argparse.Namespace,
    file: ModelFile,
    model: BlindSRSegmentor,
    photos: list[LabelledPhoto],
    schedule: Schedule,
    outcome: Outcome,
) -> None:
    """The model with what helps: weights fitted to all photos and their threshold, or a threshold alone."""
    fits = outcome.choice == 'weights'
    model = finetune(model, photos, schedule) if fits else model
    threshold = outcome.new_threshold if fits else outcome.old_threshold
    card = {
        'summary': f'{file.name}, {"fine-tuned on" if fits else "with a threshold for"} {len(photos)} photos',
        'licence': f'as of {file.name} and of the photos that it was fitted to',
        'figures': _figures(outcome),
    }
    lineage = {
        'parent': file.name,
        'parent_sha256': file.metadata['sha256'],
        'photos': outcome.names,
        'schedule': asdict(schedule) if fits else None,
    }
    config = {**file.model, 'threshold': threshold}
    write_model_file(args.out, config, model.state_dict(), file.dataset_meta, card, lineage)


def _report(outcome: Outcome, console: Console) -> None:
    table = Table(title=f'IoU of {len(outcome.names)} photos, each judged by a model that did not see it')
    for heading in ('', 'mean', 'against before, 95 %', 'better on'):
        table.add_column(heading, justify='right' if heading else 'left')
    table.add_row('before', f'{outcome.before.mean():.3f}', '', '')
    rows = {'new threshold alone': outcome.threshold_only, 'fine-tuned': outcome.after}
    for name, values in rows.items():
        gain = paired_difference(values, outcome.before)
        interval = f'{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})'
        table.add_row(name, f'{values.mean():.3f}', interval, f'{gain.larger:.0%}')
    console.print(table)


def _figures(outcome: Outcome) -> dict:
    return {
        name: np.round(value, 4).tolist() if isinstance(value, np.ndarray) else value
        for name, value in asdict(outcome).items()
    } | {'choice': outcome.choice}
