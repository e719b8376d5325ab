"""What happened, counted and logged off the path of calls; prometheus_client lives only here.

Nothing here decides, waits or raises into a call.
"""
