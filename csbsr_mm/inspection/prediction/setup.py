"""From the command line of ``csbsr predict`` to a run that is ready to start."""

from __future__ import annotations

import argparse
from pathlib import Path

from mmengine.config import Config

from csbsr_mm.apis import CrackInferencer
from csbsr_mm.engine.config import load_config
from csbsr_mm.inspection.measurement.selection import rules_from
from csbsr_mm.inspection.prediction.photo_output import OutputFolder
from csbsr_mm.inspection.prediction.run import PredictionRun, describe_checkpoint
from csbsr_mm.weights import open_weights
from csbsr_mm.weights.library import DEFAULT


def make_run(args: argparse.Namespace, folder: OutputFolder, scratch: str) -> PredictionRun:
    """Load the model and prepare the run.

    Args:
        args: As :mod:`csbsr_mm.cli.predict` reads them.
        folder: Where results go.
        scratch: Folder for scratch files, which is the caller's to remove.

    Raises:
        FileNotFoundError: There is no such config or checkpoint.
        ValueError: An option is out of range, or the checkpoint does not fit.
    """
    config = model_config(args)
    return PredictionRun(
        _build_inferencer(args, config, scratch),
        folder,
        with_sr=not args.no_sr,
        rules=rules_from(args),
        resume=args.resume,
        settings=_settings(args, config),
    )


def model_config(args: argparse.Namespace) -> Config | None:
    """The config of the model; None for a model file, which brings its own."""
    if args.config is not None:
        return load_config(args.config, args.cfg_options)
    if args.cfg_options:
        raise ValueError('--cfg-options changes a config, and none is given')
    args.weights = args.weights or DEFAULT
    return None


def _build_inferencer(args: argparse.Namespace, config: Config | None, scratch: str) -> CrackInferencer:
    options = dict(
        tile=args.tile,
        overlap=args.overlap,
        batch_size=args.batch_size,
        threshold=args.threshold,
        per_tile=args.per_tile,
        crack_class=args.crack_class,
        scratch_dir=scratch,
    )
    if config is None:
        return CrackInferencer.from_weights(args.weights, args.device, **options)
    if str(args.checkpoint).endswith('.onnx') or Path(args.checkpoint).is_dir():
        return CrackInferencer.from_onnx(args.checkpoint, args.device, **options)
    return CrackInferencer.from_config(config, args.checkpoint, args.device, args.trust_checkpoint, **options)


def _settings(args: argparse.Namespace, config: Config | None) -> dict:
    """What results depend on beside the inferencer's own settings."""
    if config is None:
        file = open_weights(args.weights)
        return dict(model=file.model, checkpoint=file.metadata['sha256'], crack_class=args.crack_class)
    return dict(
        model=config.model.to_dict(),
        checkpoint=describe_checkpoint(args.checkpoint),
        crack_class=args.crack_class,
    )


def shown_settings(args: argparse.Namespace, run: PredictionRun) -> dict:
    """What the report says about how its results came about."""
    inferencer = run.inferencer
    model = {'Weights': args.weights}
    if args.config is not None:
        model = {'Config': args.config, 'Checkpoint': args.checkpoint}
    estimate = 'once per photo' if inferencer.backend.shares and not inferencer.per_tile else 'for each tile'
    return {
        **model,
        'Threshold': inferencer.threshold,
        'Tile': f'{inferencer.tile} photo pixels, overlap {inferencer.overlap}',
        'Blur and normalisation': f'estimated {estimate}',
        'Enlargement': f'{inferencer.backend.scale} times',
        **run.rules.described(),
    }
