"""The safetensors format, against bytes written out by hand from its description."""

import json
import struct

import pytest
import torch

from csbsr_mm.weights import TensorFileError, read_tensors, write_tensors
from csbsr_mm.weights.tensor_file import DTYPES, read_metadata

HEADER = {
    '__metadata__': {'by': 'hand'},
    'b': {'dtype': 'I16', 'shape': [2], 'data_offsets': [8, 12]},
    'a': {'dtype': 'F32', 'shape': [1, 2], 'data_offsets': [0, 8]},
}
DATA = struct.pack('<ffhh', 1.5, -2.0, 7, -7)


def by_hand(path, header=HEADER, data=DATA):
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack('<Q', len(head)) + head + data)
    return path


def changed(**entries):
    return {**HEADER, **entries}


def test_reads_what_the_format_says(tmp_path):
    tensors, metadata = read_tensors(by_hand(tmp_path / 'x.safetensors'))
    assert metadata == {'by': 'hand'}
    assert torch.equal(tensors['a'], torch.tensor([[1.5, -2.0]]))
    assert torch.equal(tensors['b'], torch.tensor([7, -7], dtype=torch.int16))


def test_writes_what_the_format_says(tmp_path):
    path = tmp_path / 'x.safetensors'
    write_tensors(path, dict(a=torch.tensor([[1.5, -2.0]]), b=torch.tensor([7, -7]).short()), {'by': 'hand'})
    content = path.read_bytes()
    (length,) = struct.unpack('<Q', content[:8])
    assert json.loads(content[8 : 8 + length]) == HEADER
    assert content[8 + length :] == DATA


@pytest.mark.parametrize('dtype', DTYPES.values())
@pytest.mark.parametrize('shape', [(), (0,), (3,), (2, 1, 3)])
def test_round_trip(tmp_path, dtype, shape):
    value = (torch.arange(6)[: torch.Size(shape).numel()].reshape(shape) % 2).to(dtype)
    transposed = value.transpose(0, -1) if value.dim() > 1 else value
    write_tensors(tmp_path / 'x', dict(value=transposed, other=torch.ones(1)))
    read, metadata = read_tensors(tmp_path / 'x')
    assert read['value'].dtype == dtype
    assert torch.equal(read['value'], transposed)
    assert metadata == {}


def test_the_official_reader_reads_our_file(tmp_path):
    official = pytest.importorskip('safetensors.torch')
    tensors = dict(a=torch.rand(3, 4), b=torch.arange(5), c=torch.rand(2, 3, 3, 3).half())
    write_tensors(tmp_path / 'x.safetensors', tensors, dict(by='us'))
    read = official.load_file(tmp_path / 'x.safetensors')
    assert all(torch.equal(read[name], value) for name, value in tensors.items())
    official.save_file(tensors, tmp_path / 'y.safetensors', dict(by='them'))
    read, metadata = read_tensors(tmp_path / 'y.safetensors')
    assert all(torch.equal(read[name], value) for name, value in tensors.items())
    assert metadata == dict(by='them')


@pytest.mark.parametrize(
    ('header', 'data'),
    [
        (HEADER, DATA[:-1]),
        (HEADER, DATA + b'x'),
        (b'no json', DATA),
        (b'[1]', DATA),
        (changed(a={'dtype': 'F32', 'shape': [3, 2], 'data_offsets': [0, 8]}), DATA),
        (changed(a={'dtype': 'F32', 'shape': [-1, -2], 'data_offsets': [0, 8]}), DATA),
        (changed(a={'dtype': 'F32', 'shape': [1, 2], 'data_offsets': [4, 12]}), DATA),
        (changed(a={'dtype': 'code', 'shape': [1, 2], 'data_offsets': [0, 8]}), DATA),
        (changed(a={'shape': [1, 2]}), DATA),
        (changed(a=3), DATA),
        (changed(__metadata__={'by': ['a', 'list']}), DATA),
    ],
)
def test_damaged_files_are_refused(tmp_path, header, data):
    path = by_hand(tmp_path / 'x.safetensors', header, data)
    with pytest.raises(TensorFileError, match=r'x\.safetensors'):
        read_tensors(path)


@pytest.mark.parametrize('content', [b'', b'abc', struct.pack('<Q', 10**9) + b'{}', b'\xff' * 64])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / 'x').write_bytes(content)
    for read in (read_tensors, read_metadata):
        with pytest.raises(TensorFileError, match='get it again'):
            read(tmp_path / 'x')


def test_a_type_without_a_name(tmp_path):
    with pytest.raises(TypeError, match='value is torch'):
        write_tensors(tmp_path / 'x', dict(value=torch.zeros(1, dtype=torch.complex64)))
    assert not list(tmp_path.iterdir())
