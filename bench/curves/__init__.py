"""The curves behind bench/scaling.py: what grows with partitions, connections, groups and producers, a module for each.

A module's row functions measure fresh brokers at one count and return {key: figure}; its LABELS name the keys for people,
in the order of the table's rows.
"""

import pairs  # noqa: F401  (which makes lib known)
