"""Redis as the store that many replicas share: one link to it, and the ports kept on that link."""
