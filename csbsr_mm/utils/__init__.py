"""What every room may use; free of MMSegmentation and its relatives."""
