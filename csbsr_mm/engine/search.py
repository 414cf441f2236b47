"""Search of hyper-parameters: many trainings of one config, scored on the validation photos."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from csbsr_mm._extras import need

from .config import load_config, set_resume
from .hooks.non_finite_loss_hook import NonFiniteLossError
from .run_lock import run_lock
from .runtime import prepare_runtime, stop_on_signals

if TYPE_CHECKING:
    import optuna

# Metrics of which less is better begin with these.
LOWER_IS_BETTER = ('HD', 'AHD')
# Seconds after which a worker that gives no sign of life counts as dead.
HEARTBEAT, GRACE = 10, 60


@dataclass(frozen=True)
class Range:
    """Range of values for a search.

    Attributes:
        keys: Entries of the config that get the value.
        low: Smallest value.
        high: Largest value.
        log: Whether the logarithm is drawn evenly.
    """

    keys: tuple[str, ...]
    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(
                f'the range of {", ".join(self.keys)} must rise, and be positive on a logarithmic scale; got '
                f'{self.low:g}:{self.high:g}{":log" if self.log else ""}'
            )


# The settings that the paper leaves to a search, with the ranges within which it varies them.
KNOWN = {
    'beta': Range(('model.task_weight',), 0.05, 0.95),
    'm': Range(('model.sr_loss_weights.0.m',), 0.125, 8.0, log=True),
    'alpha_end': Range(('default_hooks.boundary_rebalance.end',), 0.0, 0.99),
    'lr': Range(('optim_wrapper.optimizer.lr',), 1e-5, 1e-2, log=True),
}


def parse_space(words: Sequence[str]) -> dict[str, Range]:
    """Ranges of a command line.

    Args:
        words: ``beta``, ``beta=0.1:0.5``, or an entry of the config with its range,
            ``model.normalize_eps=1e-6:1e-3:log``.

    Returns:
        Ranges by name.

    Raises:
        ValueError: A word is none of these.

    Example:
        >>> space = parse_space(['beta', 'lr=1e-4:1e-3'])
        >>> space['beta'].high, space['lr'].low, space['lr'].log
        (0.95, 0.0001, True)
    """
    space = {}
    for word in words:
        name, _, limits = word.partition('=')
        known = KNOWN.get(name)
        if not limits and known is not None:
            space[name] = known
            continue
        found = re.fullmatch(r'([^:]+):([^:]+)(:log)?', limits)
        if found is None:
            raise ValueError(
                f'--space {word}: give NAME=LOW:HIGH or NAME=LOW:HIGH:log; without a range only '
                f'{", ".join(KNOWN)} are known'
            )
        keys = known.keys if known else (name,)
        log = bool(found[3]) or (known is not None and known.log)
        space[name] = Range(keys, float(found[1]), float(found[2]), log)
    return space


@dataclass
class Search:
    """A study of one config that can be resumed and shared.

    Several workers may run it at once: each is this call with the same ``folder`` and ``name``. A worker
    that died loses nothing: its training goes on in the next trial of any worker, at its last checkpoint.

    Args:
        config: Config file, or the name of a config of csbsr_mm; it needs validation photos.
        space: Ranges by name, of :func:`parse_space`.
        folder: Where the study (``NAME.db``, SQLite) and all trainings lie.
        name: Name of the study.
        metric: What is compared, a metric of the validation; distances are minimised, the rest maximised.
        interval: Iterations between two validations, each a chance to give up a trial; None: the config's.
        options: Overrides of config entries, the same in every trial.
        prune: Whether trials that fall behind the median of those before are given up.
        seed: Seed of what is drawn; None draws otherwise in every process.

    Raises:
        ImportError: Optuna is not installed.
        ValueError: The config has no validation, or lacks an entry of the space.
    """

    config: str
    space: Mapping[str, Range]
    folder: Path
    name: str = 'search'
    metric: str = 'AIU'
    interval: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    prune: bool = True
    seed: int | None = None

    def __post_init__(self) -> None:
        need('A search', 'optuna')
        cfg = load_config(self.config, dict(self.options))
        if cfg.get('val_dataloader') is None or cfg.get('val_evaluator') is None:
            raise ValueError(
                f'{self.config} has no validation photos; a search must not choose by test photos'
            )
        for name, limits in self.space.items():
            for key in limits.keys:
                if not _has(cfg, key):
                    raise ValueError(
                        f'{self.config} has no {key}, which {name} sets; start from a config that has it'
                    )

    def study(self) -> optuna.Study:
        """The study, as far as it has come."""
        import optuna

        self.folder.mkdir(parents=True, exist_ok=True)
        storage = optuna.storages.RDBStorage(
            f'sqlite:///{self.folder / self.name}.db',
            heartbeat_interval=HEARTBEAT,
            grace_period=GRACE,
            failed_trial_callback=optuna.storages.RetryFailedTrialCallback(max_retry=5),
        )
        pruner = optuna.pruners.MedianPruner(n_startup_trials=4) if self.prune else optuna.pruners.NopPruner()
        return optuna.create_study(
            storage=storage,
            study_name=self.name,
            direction='minimize' if self.metric.startswith(LOWER_IS_BETTER) else 'maximize',
            sampler=optuna.samplers.TPESampler(seed=self.seed, n_startup_trials=6),
            pruner=pruner,
            load_if_exists=True,
        )

    def run(self, trials: int, train: Callable[[Config, Hook], float] | None = None) -> optuna.Study:
        """Train until the study has so many finished trials, those of all workers together.

        Args:
            trials: Trials that are to be there in the end, given up ones included.
            train: Trains a config with a hook and returns the score; for tests.
        """
        from optuna.study import MaxTrialsCallback
        from optuna.trial import TrialState

        study = self.study()
        done = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
        if len(study.get_trials(deepcopy=False, states=done)) < trials:
            study.optimize(
                lambda trial: self._objective(trial, train or _train),
                callbacks=[MaxTrialsCallback(trials, states=done)],
                catch=(NonFiniteLossError,),
            )
        return study

    def trial_config(self, trial: optuna.Trial) -> Config:
        """The config of a trial, whose values are drawn."""
        import optuna

        options = dict(self.options)
        for name, limits in self.space.items():
            value = trial.suggest_float(name, limits.low, limits.high, log=limits.log)
            options.update(dict.fromkeys(limits.keys, value))
        if self.interval is not None:
            options |= {'train_cfg.val_interval': self.interval, 'train_cfg.val_begin': self.interval}
        # A trial that takes over from a dead worker goes on in its folder.
        frozen = trial.study.get_trials(deepcopy=False)[trial.number]
        first = optuna.storages.RetryFailedTrialCallback.retried_trial_number(frozen)
        number = trial.number if first is None else first
        cfg = load_config(self.config, options, str(self.folder / self.name / f'trial{number}'))
        # MMEngine keeps loggers and visualizers by name, for the whole process.
        cfg.experiment_name = f'{self.name}_trial{trial.number}'
        if cfg.get('visualizer'):
            cfg.visualizer.name = cfg.experiment_name
        return cfg

    def _objective(self, trial: optuna.Trial, train: Callable[[Config, Hook], float]) -> float:
        return train(self.trial_config(trial), PruningHook(trial, self.metric))


class PruningHook(Hook):
    """Report every validation's score to a trial, and prune it when it falls behind.

    Args:
        trial: Trial of a study.
        metric: Name of the score among the validation's metrics.
    """

    # After the other hooks have logged the metrics.
    priority = 'LOWEST'

    def __init__(self, trial: optuna.Trial, metric: str) -> None:
        self.trial, self.metric = trial, metric
        self.score: float | None = None

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Report, and raise ``TrialPruned`` if the study says so."""
        import optuna

        if not metrics or self.metric not in metrics:
            raise ValueError(f'the validation has no metric {self.metric}; it has {", ".join(metrics or ())}')
        self.score = float(metrics[self.metric])
        self.trial.report(self.score, runner.iter)
        if self.trial.should_prune():
            print_log(f'trial {self.trial.number} given up: {self.metric} {self.score:.4f}', logger='current')
            raise optuna.TrialPruned


def _train(cfg: Config, hook: Hook) -> float:
    """Train a config from its newest checkpoint, if there is one; the last validation's score."""
    with run_lock(cfg.work_dir):
        set_resume(cfg, 'auto')
        stop_on_signals(cfg)
        prepare_runtime(cfg)
        runner = Runner.from_cfg(cfg)
        runner.register_hook(hook)
        runner.train()
    if hook.score is None:
        raise ValueError('the training ended without a validation; give --interval')
    return hook.score


def _has(cfg: Config, key: str) -> bool:
    """Whether a config has an entry, or a component whose option it is; a component knows its defaults."""
    *path, last = key.split('.')
    node: Any = cfg
    for part in path:
        try:
            node = node[int(part)] if isinstance(node, list) else node[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return False
    return isinstance(node, Mapping) and (last in node or 'type' in node)
