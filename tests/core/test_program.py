"""What a process of ours does first."""

import subprocess
import sys

LOOK = """
import ctypes, resource
from supervisor.core.program import hide_memory, raise_file_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
hide_memory(); raise_file_limit()
files = resource.getrlimit(resource.RLIMIT_NOFILE)
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *resource.getrlimit(resource.RLIMIT_CORE), files[0] == files[1])
"""


def test_memory_is_hidden_cores_are_off_and_descriptors_as_many_as_may_be() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["0", "0", "0", "True"]
