"""Export to ONNX, and a backend that runs the exported model."""
