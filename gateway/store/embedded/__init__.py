"""The store of one process: state in memory, journaled to SQLite."""
