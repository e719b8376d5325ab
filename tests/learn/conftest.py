"""What needs the optional `learn` packages is collected only where they are installed."""

from importlib.util import find_spec

OPTIONAL = {"test_archive.py": "pyarrow", "test_vectors.py": "tokenizers"}

collect_ignore = [name for name, package in OPTIONAL.items() if find_spec(package) is None]
