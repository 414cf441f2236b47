"""The command ``csbsr``: one entry to everything, each sub-command a module of this package."""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback

from csbsr_mm.version import __version__

from .commands import COMMANDS

ERROR, INTERRUPTED = 2, 130
EXPECTED = (OSError, ValueError, ImportError)
EPILOG = """exit status: 0 done; 1 done, and the answer is no (failed photos, unhealthy data);
2 an error, described in one line; 130 interrupted"""


def main(argv: list[str]) -> int:
    """Run ``csbsr``.

    Args:
        argv: Words after ``csbsr``.

    Returns:
        The exit status.

    Raises:
        SystemExit: ``--help``, ``--version`` or a command line that argparse refuses.
    """
    _speak_any_language()
    chosen = _chosen(argv)
    if chosen in COMMANDS:
        complete = getattr(COMMANDS[chosen].load(chosen), 'complete', None)
        argv = complete(argv) if complete else argv
    args = build_parser(chosen).parse_args(argv)
    command = COMMANDS[args.command]
    try:
        if command.registers:
            _register(args.command)
        return command.load(args.command).run(args) or 0
    except KeyboardInterrupt:
        sys.stderr.write('interrupted\n')
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`csbsr configs | head`) has enough; Python must not complain while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if args.traceback:
            traceback.print_exc()
        else:
            sys.stderr.write(f'error: {one_line(error)}\n')
        return ERROR


def build_parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """The parser of the command line.

    Args:
        chosen: Sub-command whose arguments are known; of the others only name and help are.
    """
    parser = argparse.ArgumentParser(
        prog='csbsr',
        description='Blind super-resolution and crack segmentation, trained jointly.',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=f'csbsr_mm {__version__}')
    parser.add_argument('--traceback', action='store_true', help='of an error, show where it happened')
    commands = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name, help=command.help, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name == chosen:
            module = command.load(name)
            sub.description = module.__doc__
            # Behind the sub-command too; suppressed there, so that it does not undo the one before.
            sub.add_argument(
                '--traceback', action='store_true', default=argparse.SUPPRESS, help=argparse.SUPPRESS
            )
            module.add_arguments(sub)
    return parser


def one_line(error: Exception) -> str:
    """What to say about an error in one line.

    Example:
        >>> one_line(ValueError('no photos in a/'))
        'no photos in a/'
        >>> one_line(ZeroDivisionError('division by zero'))
        'ZeroDivisionError: division by zero (--traceback shows where)'
    """
    said = error.args[0] if isinstance(error, KeyError) and error.args else error
    text = ' '.join(str(said).split())
    if isinstance(error, EXPECTED) and text:
        return text
    return f'{type(error).__name__}: {text} (--traceback shows where)'


def _speak_any_language() -> None:
    """Let a console or a pipe without Greek letters, as Windows has them, get a question mark instead."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='replace')


def _chosen(argv: list[str]) -> str | None:
    """The sub-command that a command line names."""
    return next((word for word in argv if not word.startswith('-')), None)


def _register(name: str) -> None:
    import csbsr_mm
    from csbsr_mm._extras import need

    if not csbsr_mm.register():
        need(f'csbsr {name}', 'mmseg')
