"""How hard the fuzz tests try: the same few examples in each run, or as many fresh ones as GATHERER_FUZZ says.

GATHERER_FUZZ=20000 scripts/test --fast -k hostile
"""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("GATHERER_FUZZ", "0"))


def fuzz(examples: int) -> settings:
    """Return the settings of one fuzz test that tries `examples` unless the environment asks for more."""
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        deadline=None,  # the machine may be busy
        database=None,
        suppress_health_check=list(HealthCheck),
    )
