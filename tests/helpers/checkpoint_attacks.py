"""Files that try to run a program while they are read as checkpoints, and a hook that notices it.

As a script, ``checkpoint_attacks.py FOLDER SEED COUNT`` reads attacks and mutated checkpoints under an audit
hook, in a process of its own because such a hook stays.
"""

import io
import os
import pickle
import random
import sys
import zipfile
from pathlib import Path


def text(value):
    encoded = value.encode()
    return b'X' + len(encoded).to_bytes(4, 'little') + encoded


def name(full):
    module, _, attribute = full.rpartition('.')
    return f'c{module}\n{attribute}\n'.encode()


def call(function, *arguments):
    return function + b'(' + b''.join(arguments) + b'tR'


def archive(content, entry='a/data.pkl', more=()):
    """What ``torch.save`` would write around a pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as file:
        for part, data in [(entry, content), ('a/byteorder', b'little'), ('a/version', b'3\n'), *more]:
            file.writestr(part, data)
    return buffer.getvalue()


def checkpoint_of(*values, state=b'}'):
    """A pickled checkpoint whose ``meta`` holds some pickled values."""
    return b'\x80\x02}(' + text('state_dict') + state + text('meta') + b'](' + b''.join(values) + b'eu.'


HISTORY = 'mmengine.logging.history_buffer.HistoryBuffer'
LOOK_UP = name('builtins.getattr')
EXEC = call(LOOK_UP, call(LOOK_UP, LOOK_UP, text('__self__')), text('exec'))


def history_gadget(program):
    """An instance whose own ``__setstate__`` is ``exec``, found with the allowed ``getattr``."""
    instance = name(HISTORY) + b')\x81'
    return instance + b'}' + text('__setstate__') + EXEC + b'sb' + text(program) + b'b'


def attacks(program):
    """Attacks by name; each runs ``program`` where its reader lets it."""
    code, shell = text(program), text(f'{sys.executable} -c "{program}"')
    numpy_core = 'numpy._core.multiarray'
    found = {
        'history_gadget': history_gadget(program),
        'getattr_and_exec': EXEC + b'(' + code + b'tR',
        'exec': call(name('builtins.exec'), code),
        'eval': call(name('builtins.eval'), text(f'exec({program!r})')),
        'python_2_name': call(b'c__builtin__\neval\n', text(f'exec({program!r})')),
        'os_system': call(name('os.system'), shell),
        'posix_system': call(name('posix.system'), shell),
        'subprocess': call(name('subprocess.getoutput'), shell),
        'run_code': call(name('code.InteractiveInterpreter'))
        + b'}'
        + text('__setstate__')
        + name('builtins.exec')
        + b'sb'
        + code
        + b'b',
        'stack_global': text('builtins') + text('exec') + b'\x93' + b'(' + code + b'tR',
        'inst': b'(' + code + b'ibuiltins\nexec\n',
        'import_module': call(name('importlib.import_module'), text('antigravity')),
        'partial': call(call(name('functools.partial'), name('builtins.exec'), code)),
        'config': call(name('mmengine.config.Config.fromstring'), code, text('.py')),
        'inner_load': call(name('torch.load'), text('inner.pth')),
        'statistics': name(HISTORY)
        + b')\x81}'
        + text('statistics_methods')
        + b'}'
        + text('mean')
        + EXEC
        + b'ss'
        + b'b',
        'object_array': call(
            name(f'{numpy_core}._reconstruct'), name('numpy.ndarray'), b'K\x00\x85', text('b')
        )
        + b'(K\x01K\x01\x85'
        + call(name('numpy.dtype'), text('O8'))
        + b'\x89]('
        + EXEC
        + b'etb',
        'object_scalar': call(name(f'{numpy_core}.scalar'), call(name('numpy.dtype'), text('O8')), code),
        'rebuild_from_type': call(
            name('torch._tensor._rebuild_from_type_v2'), EXEC, name('torch.Tensor'), code + b'\x85', b'}'
        ),
        'shadowed_items': name('collections.OrderedDict') + b')R}' + text('items') + EXEC + b'sb',
    }
    return {key: archive(checkpoint_of(value)) for key, value in found.items()} | {
        'shadowed_state': archive(
            checkpoint_of(state=name('collections.OrderedDict') + b')R}' + text('items') + EXEC + b'sb')
        ),
        'legacy_first_pickle': b'\x80\x02' + call(name('os.system'), shell) + b'.',
        'legacy_fourth_pickle': pickle.dumps(0x1950A86A20F9469CFC6C, 2)
        + pickle.dumps(1001, 2)
        + pickle.dumps(dict(protocol_version=1001, little_endian=True, type_sizes={}), 2)
        + b'\x80\x02' + call(name('os.system'), shell) + b'.',
        'bare_pickle': b'\x80\x02' + call(name('builtins.exec'), code) + b'.',
        'second_pickle_in_archive': archive(
            checkpoint_of(), more=[('b/data.pkl', checkpoint_of(call(name('builtins.exec'), code)))]
        ),
    }  # fmt: skip


def stepping_stones(allowed, program):
    """Every allowed name, used in every way that a pickle has, with what an attacker would hand it."""
    code = text(program)
    state = b'}(' + text('__setstate__') + EXEC + text('__class__') + LOOK_UP + text('items') + EXEC + b'u'
    for full in sorted(allowed):
        for arguments in (
            b')',
            code + b'\x85',
            code + code + b'\x86',
            EXEC + code + b'\x85\x86',
            LOOK_UP + b'\x85',
        ):
            made = [name(full) + arguments + b'R', name(full) + arguments + b'\x81']
            for instance in [name(full), *made]:
                yield archive(checkpoint_of(instance + state + b'b' + code + b'b' + b')R'))
                yield archive(checkpoint_of(instance + state + b'b'))
                yield archive(checkpoint_of(instance + code + b'\x85R'))


def mutate(content, generator):
    """A pickle with some bytes replaced, inserted, removed, or parts swapped in from an attack."""
    content = bytearray(content)
    for _ in range(generator.randint(1, 6)):
        where = generator.randrange(len(content))
        kind = generator.randrange(5)
        if kind == 0:
            content[where] = generator.randrange(256)
        elif kind == 1:
            content[where:where] = generator.choice(
                [b'R', b'b', b'\x81', b'\x93', b'(', b't', b'0', b'2', b'Q']
            )
        elif kind == 2:
            del content[where : where + generator.randint(1, 8)]
        elif kind == 3:
            content[where:where] = generator.choice([LOOK_UP, EXEC, name('builtins.exec'), name('os.system')])
        else:
            start = generator.randrange(len(content))
            content[where:where] = content[start : start + generator.randint(1, 40)]
    return bytes(content)


FORBIDDEN = ('exec', 'compile', 'os.', 'subprocess.', 'shutil.', 'socket.', 'ctypes.', 'pty.', 'winreg.')
HARMLESS = ('os.listdir', 'os.scandir')


def _is_lazy_import(code):
    """Whether torch or a codec imports a module of its own."""
    frame, own = sys._getframe(2), (f'{os.sep}torch{os.sep}', f'{os.sep}encodings{os.sep}')
    bodies = [getattr(code, 'co_filename', '')]
    while frame:
        bodies += [frame.f_code.co_filename] if frame.f_code.co_name == '<module>' else []
        frame = frame.f_back
    return any(part in body for body in bodies for part in own)


def watch(seen):
    """Note every event that reading a file has no business with."""

    def hook(event, arguments):
        if not seen.armed:
            return
        if event == 'open' and isinstance(arguments[1], str) and not set('wax+') & set(arguments[1]):
            return
        if event in ('exec', 'compile') and _is_lazy_import(arguments[0]):
            return
        if event == 'open' or (event.startswith(FORBIDDEN) and event not in HARMLESS):
            seen.events.append((event, str(arguments)[:200]))

    sys.addaudithook(hook)


class Seen:
    armed = False

    def __init__(self):
        self.events = []


def main(folder, seed, count):
    import torch
    from mmengine.logging import HistoryBuffer

    import csbsr_mm  # noqa: F401
    from csbsr_mm.engine.checkpoint import CheckpointError, read_checkpoint
    from csbsr_mm.engine.checkpoint.allowed_globals import PLAIN_NAMES
    from csbsr_mm.engine.checkpoint.stand_ins import STAND_IN_NAMES

    path = Path(folder) / 'file.pth'
    program = f"open('{folder}/ran', 'w')"
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    good = dict(state_dict=dict(a=torch.zeros(2)), message_hub=dict(
        log_scalars=dict(loss=history), runtime_info=dict(iter=1), resumed_keys=dict(loss=True)
    ))  # fmt: skip
    torch.save(good, path)
    read_checkpoint(path)
    with zipfile.ZipFile(path) as file:
        parts = {entry: file.read(entry) for entry in file.namelist()}
    (pickled,) = [entry for entry in parts if entry.endswith('data.pkl')]
    generator = random.Random(seed)
    files = [*attacks(program).values(), *stepping_stones({*PLAIN_NAMES, *STAND_IN_NAMES}, program)]
    print(len(files), 'attacks')
    for _ in range(count):
        others = [(entry, data) for entry, data in parts.items() if entry != pickled]
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, 'w') as file:
            for entry, data in [(pickled, mutate(parts[pickled], generator)), *others]:
                file.writestr(entry, data)
        files.append(buffer.getvalue())
    seen, passed = Seen(), 0
    watch(seen)
    for index, content in enumerate(files):
        path.write_bytes(content)
        seen.armed = True
        try:
            read_checkpoint(path)
            passed += 1
        except CheckpointError:
            pass
        finally:
            seen.armed = False
        if seen.events or os.path.exists(f'{folder}/ran'):
            Path(f'{folder}/culprit.pth').write_bytes(content)
            sys.exit(f'file {index} did {seen.events}; it is kept as culprit.pth')
    print(f'{len(files)} files, {passed} of them read, the others refused')


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
