"""What a width means: the errors of the model, intervals, and classes of codes of practice."""
