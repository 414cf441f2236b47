"""From photos to a folder of results: in one process or many, resumable."""
