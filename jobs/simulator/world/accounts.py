"""Which characters belong to one player: accounts of 1 to 10 characters over all realms of a region.

The region's characters are shuffled and cut into blocks of ten; each block is cut again by one of a few patterns.
An account is named by the shuffled place of its first character.
"""

from jobs.simulator.chance import Shuffle, draw

_BLOCK = 10
_PATTERNS = ((10,), (1, 2, 3, 4), (5, 5), (1, 1, 8), (1, 1, 1, 2, 5), (2, 2, 2, 4), (3, 7), (1, 1, 1, 1, 6))


class Accounts:
    """The accounts of one region with `characters` characters (numbers 0 ..)."""

    def __init__(self, seed: int, region: str, characters: int) -> None:
        self._seed = seed
        self._region = region
        self._shuffle = Shuffle(characters, seed, region, "accounts")

    def account_of(self, character: int) -> int:
        """Return the account that plays `character`."""
        return self._bounds(self._shuffle.forward(character))[0]

    def characters_of(self, account: int) -> list[int]:
        """Return all characters of an account, its alts among themselves."""
        start, end = self._bounds(account)
        return [self._shuffle.backward(place) for place in range(start, min(end, self._shuffle.size))]

    def _bounds(self, place: int) -> tuple[int, int]:
        block = place // _BLOCK
        start = block * _BLOCK
        for size in _PATTERNS[draw(self._seed, self._region, "account", block) % len(_PATTERNS)]:
            if place < start + size:
                break
            start += size
        return start, start + size
