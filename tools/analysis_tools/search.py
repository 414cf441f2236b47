"""Search hyper-parameters of a config with Optuna, scored on its validation photos.

python tools/analysis_tools/search.py configs/csbsr/kbpn_pspnet_khanhha.py --space beta lr=1e-5:1e-4 \
    --trials 30 --interval 10000

Known names: beta (the task weight), m (of the first map on L_S), alpha_end and lr, each with a range of its
own; any other entry of the config goes with its range, as in model.blur_skip.x=1:8:log. The study is
persistent: stop it whenever you like, the same command goes on. Start it several times, on several GPUs or
machines that share the folder, and all work on one study. Needs Optuna: pip install 'csbsr_mm[search]'.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mmengine.config import DictAction
from rich.console import Console
from rich.table import Table

import csbsr_mm  # noqa: F401  registers the components that configs name
from csbsr_mm.engine.search import Search, parse_space


def parse_args(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file, or the name of a config of csbsr_mm')
    parser.add_argument(
        '--space', nargs='+', required=True, metavar='NAME[=LOW:HIGH[:log]]', help='what is searched'
    )
    parser.add_argument('--trials', type=int, default=20, help='trials in the end, of all workers (20)')
    parser.add_argument('--metric', default='AIU', help='score of the validation (AIU)')
    parser.add_argument('--interval', type=int, help="iterations between validations (the config's)")
    parser.add_argument('--no-pruning', action='store_true', help='train every trial to its end')
    parser.add_argument('--name', default='search', help='name of the study (search)')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/search'), help='folder of studies')
    parser.add_argument('--seed', type=int, help='of what is drawn')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='config entries of every trial')
    parser.add_argument('--collect', action='store_true', help='print the study; run nothing')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Search and print the trials; returns the exit status."""
    args = parse_args(sys.argv[1:] if argv is None else argv)
    try:
        search = Search(
            args.config,
            parse_space(args.space),
            args.work_dir,
            name=args.name,
            metric=args.metric,
            interval=args.interval,
            options=args.cfg_options or {},
            prune=not args.no_pruning,
            seed=args.seed,
        )
        study = search.study() if args.collect else search.run(args.trials)
    except (ValueError, ImportError, OSError) as error:
        sys.stderr.write(f'error: {error}\n')
        return 2
    show(study, args.metric)
    return 0


def show(study, metric: str) -> None:
    """Print all trials, the best first, and how to train with the best's values."""
    trials = [trial for trial in study.trials if trial.value is not None or trial.intermediate_values]
    names = list(dict.fromkeys(name for trial in trials for name in trial.params))
    table = Table('trial', 'state', 'iterations', metric, *names, title=study.study_name)
    sign = 1 if study.direction.name == 'MINIMIZE' else -1
    for trial in sorted(trials, key=lambda t: (t.state.name != 'COMPLETE', sign * _score(t))):
        cells = [f'{trial.params[name]:.4g}' if name in trial.params else '-' for name in names]
        last = str(max(trial.intermediate_values, default='-'))
        table.add_row(str(trial.number), trial.state.name.lower(), last, f'{_score(trial):.4f}', *cells)
    Console().print(table)


def _score(trial) -> float:
    return trial.value if trial.value is not None else list(trial.intermediate_values.values())[-1]


if __name__ == '__main__':
    sys.exit(main())
