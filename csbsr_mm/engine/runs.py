"""Train and test a config from beginning to end: what ``csbsr train`` and ``csbsr test`` do."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from .blur_border import cut_test_border
from .checkpoint import check_for_testing, read_weights, use_reader
from .config import load_config, set_resume
from .run_lock import run_lock
from .runtime import enable_amp, global_rank, prepare_runtime, stop_on_signals
from .tta import enable_tta


def train_model(
    config: str,
    work_dir: str | None = None,
    resume: str | None = None,
    amp: bool = False,
    options: dict[str, Any] | None = None,
    launcher: str = 'none',
    trust: bool = False,
    allow_changed: Sequence[str] = (),
) -> Runner:
    """Train a model; no other training may use its work directory, and signals stop it with its state saved.

    Args:
        config: Config file, or the name of a config of csbsr_mm.
        work_dir: Where logs and checkpoints go; ``work_dirs/NAME-OF-CONFIG`` if None.
        resume: None, 'auto' (from the newest checkpoint of ``work_dir``), or a checkpoint file.
        amp: Whether to train in mixed precision.
        options: Overrides of config entries, such as ``{'train_cfg.max_iters': 5}``.
        launcher: 'none', 'pytorch', 'slurm' or 'mpi', who started the processes.
        trust: Whether to read checkpoints that could run code.
        allow_changed: Settings that may differ from those of the run that goes on; 'all' for any.

    Returns:
        The runner after training.

    Raises:
        FileNotFoundError: There is no such config, checkpoint or data.
        ValueError: An option or the config does not make sense, or a checkpoint is refused.
        OSError: Another training uses the work directory, the disk is full, or data workers hang.
        RuntimeError: There are fewer GPUs than processes.
        TrainingStopped: A signal asked for it; a ``SystemExit`` with status 75.
    """
    use_reader(trust)
    cfg = load_config(config, options, work_dir)
    with contextlib.nullcontext() if global_rank(launcher) else run_lock(cfg.work_dir):
        set_resume(cfg, resume)
        cfg.allow_changed = list(allow_changed) or cfg.get('allow_changed')
        stop_on_signals(cfg)
        if amp:
            enable_amp(cfg)
        prepare_runtime(cfg, launcher)
        runner = Runner.from_cfg(cfg)
        runner.train()
    return runner


def evaluate_model(
    config: str,
    checkpoint: str,
    work_dir: str | None = None,
    options: dict[str, Any] | None = None,
    launcher: str = 'none',
    out: str | None = None,
    show: bool = False,
    show_dir: str | None = None,
    wait_time: float = 2,
    tta: bool = False,
    cut_border: bool = False,
    trust: bool = False,
) -> dict[str, float]:
    """Test a checkpoint on the data of its config.

    Args:
        config: Config file, or the name of a config of csbsr_mm.
        checkpoint: Checkpoint file; it must hold the whole model of the config.
        work_dir: Where logs go; ``work_dirs/NAME-OF-CONFIG`` if None.
        options: Overrides of config entries.
        launcher: 'none', 'pytorch', 'slurm' or 'mpi', who started the processes.
        out: Folder for predicted masks as PNG files.
        show: Whether to show predictions in a window.
        show_dir: Folder for painted predictions.
        wait_time: Seconds between shown predictions.
        tta: Whether to average over flips and scales (test-time augmentation).
        cut_border: Whether to cut the dark rim that the blur leaves; see :func:`cut_test_border`.
        trust: Whether to read a checkpoint that could run code.

    Returns:
        Metrics by name.

    Raises:
        FileNotFoundError: There is no such config, checkpoint or data.
        ValueError: The checkpoint does not fit, or an option does not make sense.
    """
    weights = read_weights(checkpoint, trust)
    use_reader(trust)
    cfg = load_config(config, options, work_dir)
    cfg.load_from, cfg.resume = checkpoint, False
    if show or show_dir:
        _show(cfg, show, show_dir, wait_time)
    if cut_border:
        cut_test_border(cfg)
    if tta:
        enable_tta(cfg)
    if out:
        hook = dict(type='SavePredictionsHook', out_dir=out)
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]
    prepare_runtime(cfg, launcher)
    runner = Runner.from_cfg(cfg)
    check_for_testing(runner.model, weights)
    return runner.test()


def _show(cfg: Config, window: bool, folder: str | None, wait_time: float) -> None:
    """Let the config's visualization hook draw every photo."""
    hook = cfg.get('default_hooks', {}).get('visualization')
    if hook is None:
        raise ValueError(
            '--show and --show-dir need a visualization hook: default_hooks = '
            "dict(visualization=dict(type='SegVisualizationHook'))"
        )
    # Upstream MMSegmentation would draw one photo in 50.
    hook.update(draw=True, interval=1, **(dict(show=True, wait_time=wait_time) if window else {}))
    if folder:
        cfg.visualizer.save_dir = folder
