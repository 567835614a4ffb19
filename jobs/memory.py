"""Give a big body's memory back."""

import ctypes
import gc

_libc = ctypes.CDLL(None)


def release_memory() -> None:
    """Give a big body's memory back to the system, once nothing refers to it any more.

    The allocators keep what is freed for the next time. A full collection empties the interpreter's
    free lists, whose few thousand tuples would hold on to megabytes of otherwise empty arenas
    (measured: 17 MB after 300,000 commodities); what was imported before the fork is frozen, so it
    is short.
    """
    gc.collect()
    _libc.malloc_trim(0)
