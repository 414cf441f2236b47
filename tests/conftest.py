"""What the whole suite shares. The other modules beside this file are helpers that tests import."""

from pathlib import Path

# pytest would import the helpers a second time in search of doctests, and so register components twice.
_HERE = Path(__file__).parent
collect_ignore = [path.name for path in _HERE.glob('*.py') if not path.name.startswith('test_')]
