"""Data sets on their way to the disk: layouts, converters, rendered photos and the health check."""
