"""Print a script that completes csbsr in your shell: sub-commands, options and names of configs.

eval "$(csbsr completion bash)"                                 # in ~/.bashrc
eval "$(csbsr completion zsh)"                                  # in ~/.zshrc
csbsr completion fish > ~/.config/fish/completions/csbsr.fish
"""

from __future__ import annotations

import argparse
import sys

SHELLS = ('bash', 'zsh', 'fish')
WITH_CONFIG = ('train', 'test', 'predict', 'export')

BASH = """_csbsr() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} words=""
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="{commands}"
    else
        case "${{COMP_WORDS[1]}}" in
{cases}
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [ "$COMP_CWORD" -gt 1 ] && COMPREPLY+=($(compgen -f -- "$word"))
}}
complete -o filenames -F _csbsr csbsr
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument('shell', choices=SHELLS, help='your shell')


def run(args: argparse.Namespace) -> None:
    """Print the script."""
    words = {name: _words(name) for name in _names()}
    if args.shell == 'fish':
        sys.stdout.write(_fish(words))
        return
    # zsh runs bash's script.
    head = 'autoload -U +X bashcompinit && bashcompinit\n' if args.shell == 'zsh' else ''
    cases = '\n'.join(f'            {name}) words="{" ".join(found)}" ;;' for name, found in words.items())
    sys.stdout.write(head + BASH.format(commands=' '.join(words), cases=cases))


def _names() -> list[str]:
    from . import COMMANDS

    return list(COMMANDS)


def _words(name: str) -> list[str]:
    """Options and choices that may follow a sub-command, and the names of configs where it takes one."""
    from . import build_parser

    parser = build_parser(name)._subparsers._group_actions[0].choices[name]
    words: list[str] = []
    for action in parser._actions:
        if action.help is not argparse.SUPPRESS:
            words += [option for option in action.option_strings if option.startswith('--')]
        words += [] if action.option_strings else [str(choice) for choice in action.choices or ()]
    if name in WITH_CONFIG or name == 'configs':
        from csbsr_mm.config_library import list_configs

        words += list_configs()
    return words


def _fish(words: dict[str, list[str]]) -> str:
    from . import COMMANDS

    lines = []
    for name, found in words.items():
        condition = f'__fish_seen_subcommand_from {name}'
        help_text = COMMANDS[name].help.replace("'", "\\'")
        lines.append(f"complete -c csbsr -f -n __fish_use_subcommand -a {name} -d '{help_text}'")
        options = [word.removeprefix('--') for word in found if word.startswith('--')]
        others = [word for word in found if not word.startswith('--')]
        lines += [f"complete -c csbsr -n '{condition}' -l {option}" for option in options]
        lines += [f"complete -c csbsr -n '{condition}' -a '{' '.join(others)}'"] if others else []
    return '\n'.join([*lines, ''])
