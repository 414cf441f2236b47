"""Makes the modules beside it, such as golden_rule, importable from every test."""
