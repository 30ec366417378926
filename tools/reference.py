"""The unit in which the course states times: a loop of plain Python that anyone can run.

    python tools/reference.py

Machines differ by a factor of three, so a number of seconds says little. How many times this loop
a command takes is nearly the same everywhere.
"""

import time

STEPS = 20_000_000


def reference_loop() -> float:
    """Run the loop once; return the seconds that it took of the processor."""
    started = time.process_time()
    sum(number * number % 7 for number in range(STEPS))
    return time.process_time() - started


def reference_seconds() -> float:
    """Time the loop: the best of three, since whatever disturbs it makes it slower."""
    return min(reference_loop() for _ in range(3))


if __name__ == "__main__":
    print(f"The reference loop takes {reference_seconds():.2f} s of one core of this machine.")
