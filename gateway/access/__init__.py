"""Who calls and what they may: keys as text, levels merged into principals, limits spelt.

Pure, but for the doorman, who awaits the port of keys. No key is kept here: only salted digests.
"""
