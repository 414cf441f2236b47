"""Export to ONNX, which needs MMSegmentation, and backends that run what was exported, which do not."""
