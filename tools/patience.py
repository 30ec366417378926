"""The one time-out: it ends what hangs, and decides about nothing else.

Machines differ by a factor of three, and one with other work to do is slower still. So a limit on
time is not part of a test; this one is more than twenty times what any step takes on a slow
machine.
"""

HANGS = 3600  # seconds
