"""Renaming rules of CrackFormer."""

from __future__ import annotations

from .rules import Rule

_PARAMETER = r'(weight|bias)'
_LEVELS = 5

# Inside a transformer bottleneck: published name of a convolution and of its group norm, our ConvModule.
_CONV_MODULES = [
    ('conv1', 'bn1', 'enter'),
    ('conv3', 'bn3', 'leave'),
    (r'shortcut\.0', r'shortcut\.1', 'shortcut'),
    (r'conv2\.0\.attn\.queries\.0', r'conv2\.0\.attn\.queries\.1', 'attention.queries'),
    (r'conv2\.0\.attn\.keys\.0', r'conv2\.0\.attn\.keys\.1', 'attention.keys'),
    (r'conv2\.0\.attn\.values\.0', r'conv2\.0\.attn\.values\.1', 'attention.values'),
    (r'conv2\.0\.mlp\.fc1', r'conv2\.0\.mlp\.gn1', 'mlp.reduce'),
    (r'conv2\.0\.mlp\.dwconv\.dwconv', r'conv2\.0\.mlp\.gn2', 'mlp.mix'),
    (r'conv2\.0\.mlp\.fc2', r'conv2\.0\.mlp\.gn3', 'mlp.expand'),
]


def _bottleneck_rules(published: str, ours: str) -> list[Rule]:
    rules: list[Rule] = [(published + r'conv2\.0\.attn\.embedding', ours + 'attention.embedding')]
    for conv, norm, module in _CONV_MODULES:
        rules += [
            (rf'{published}{conv}\.{_PARAMETER}', rf'{ours}{module}.conv.\1'),
            (rf'{published}{norm}\.{_PARAMETER}', rf'{ours}{module}.gn.\1'),
        ]
    return rules


# Publication has a third block in the three deepest encoder levels and a second norm in every bottleneck;
# the network uses neither.
RULES: list[Rule] = [
    (r'down[345]\.nn3\..+', None),
    (rf'(?:down|up)\d\.nn\d\.conv\.bn2\.{_PARAMETER}', None),
    (rf'down1\.nn1\.conv\.{_PARAMETER}', r'backbone.stem.conv.\1'),
    (rf'final\.{_PARAMETER}', r'decode_head.conv_seg.\1'),
]
for _level in range(_LEVELS):
    _number = _level + 1
    # In the first encoder level the first block is the stem.
    _first = 2 if _level == 0 else 1
    for _block in range(3):
        RULES += _bottleneck_rules(
            rf'down{_number}\.nn{_block + _first}\.conv\.', f'backbone.encoder.{_level}.{_block}.'
        )
        RULES += _bottleneck_rules(
            rf'up{_number}\.nn{_block + 1}\.conv\.', f'backbone.decoder.{_level}.{_block}.'
        )
    _fusion = f'backbone.scaling_attention.{_level}.'
    RULES += [
        (rf'fuse{_number}\.nn\.conv\.{_PARAMETER}', rf'{_fusion}fuse.conv.\1'),
        (rf'fuse{_number}\.conv\.{_PARAMETER}', rf'decode_head.side_convs.{_level}.\1'),
    ]
    for _index, _name in enumerate(('W_1', 'psi')):
        RULES += [
            (rf'LABlock_{_number}\.{_name}\.0\.{_PARAMETER}', rf'{_fusion}gate.{_index}.conv.\1'),
            (rf'LABlock_{_number}\.{_name}\.1\.{_PARAMETER}', rf'{_fusion}gate.{_index}.gn.\1'),
        ]
