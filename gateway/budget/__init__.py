"""What may be spent: windows of time, rates, and the books of holds. Pure."""
