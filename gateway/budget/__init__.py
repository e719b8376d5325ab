"""What may be spent: windows of time, rates, the books of holds, records of spend. Pure."""
