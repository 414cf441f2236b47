"""What the data set converters in ``tools/dataset_converters`` share."""
