"""The ledger that replicas share, in Redis: two scripts, and what calls them."""
