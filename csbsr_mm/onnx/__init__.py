"""Export to ONNX, and a backend that runs the exported model."""

from .._extras import need

need('csbsr_mm.onnx', 'mmseg')
