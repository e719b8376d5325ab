"""The store of one process: state in memory, journaled to SQLite.

ledger ─▶ journal.write ─┬▶ tape: memory that outlives the process, at once
                         └▶ queue ─▶ pending (added up) ─▶ SQLite, by one thread, in batches
"""
