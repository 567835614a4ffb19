"""Invented names: numbers spelled in syllables, and read back.

    short  start + end           Velia
    long   start + middle + end  Velraniel; with two middles when a realm is very full

Every start and every middle of a script has its own fixed width, so a spelled name is read in one way only and
no table of names is kept. Case does not matter to reading. None of the names is taken from a recorded body.
"""

from dataclasses import dataclass, field
from unicodedata import normalize


@dataclass(frozen=True)
class Script:
    """Syllables of one alphabet. All starts have one width, all middles another; no end begins like a middle
    followed by an end (the tests hold this), else a name could be read in two ways.
    """

    starts: tuple[str, ...]
    middles: tuple[str, ...]
    ends: tuple[str, ...]
    _start_of: dict[str, int] = field(init=False, default_factory=dict)
    _middle_of: dict[str, int] = field(init=False, default_factory=dict)
    _end_of: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for syllables, numbers in (
            (self.starts, self._start_of),
            (self.middles, self._middle_of),
            (self.ends, self._end_of),
        ):
            numbers.update({syllable: number for number, syllable in enumerate(syllables)})

    def room(self, middles: int) -> int:
        """Return how many names have at most `middles` middles (0..2)."""
        plain = len(self.starts) * len(self.ends)
        return sum(plain * len(self.middles) ** count for count in range(middles + 1))

    def spell(self, number: int) -> str:
        """Return the name of `number` (0 ≤ number < room(2)), with a capital."""
        number, middles = self._tier(number)
        number, start = divmod(number, len(self.starts))
        number, end = divmod(number, len(self.ends))
        text = self.starts[start]
        for _ in range(middles):
            number, middle = divmod(number, len(self.middles))
            text += self.middles[middle]
        return (text + self.ends[end]).capitalize()

    def read(self, name: str) -> int | None:
        """Return the number that spells `name`, None when there is none."""
        text = normalize("NFC", name).lower()
        width, step = len(self.starts[0]), len(self.middles[0])
        start = self._start_of.get(text[:width])
        if start is None:
            return None
        for middles in range(3):
            cut = width + step * middles
            end = self._end_of.get(text[cut:])
            parts = [self._middle_of.get(text[at : at + step]) for at in range(width, cut, step)]
            if end is not None and None not in parts:
                return self._number(start, [part for part in parts if part is not None], end)
        return None

    def _tier(self, number: int) -> tuple[int, int]:
        for middles in range(2):
            if number < self.room(middles):
                return number - (self.room(middles - 1) if middles else 0), middles
        return number - self.room(1), 2

    def _number(self, start: int, middles: list[int], end: int) -> int:
        number = 0
        for middle in reversed(middles):
            number = number * len(self.middles) + middle
        number = (number * len(self.ends) + end) * len(self.starts) + start
        return number + (self.room(len(middles) - 1) if middles else 0)


def _pairs(first: str, second: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a + b for a in first for b in second))


LATIN = Script(
    starts=tuple(a + b + c for a, b in zip("btkvdlmrnsgzhf", "rhyaeiouaeiouy", strict=True) for c in "lnrsthmk"),
    middles=_pairs("rnlsvdmzk", "aeiouáéïôüæ"),
    ends=("ar", "en", "is", "or", "iel", "wen", "dûr", "nya", "rix", "th", "sa", "mir", "ló", "gan", "vex", "ßa", "ëm"),
)
CYRILLIC = Script(
    starts=tuple(a + b + c for a in "бвгдзкмнрст" for b in "аеиоуя" for c in "лнрдв"),
    middles=_pairs("рнлсвдмзк", "аеиоуыёя"),
    ends=("ар", "ен", "ис", "ор", "эль", "вен", "дур", "ния", "рик", "ть", "са", "мир", "лия", "ган", "ша", "ёк"),
)
HANGUL = Script(
    starts=tuple(chr(0xAC00 + 28 * step) for step in range(0, 399, 3)),
    middles=tuple(chr(0xAC04 + 28 * step) for step in range(1, 399, 7)),
    ends=tuple(chr(0xAC15 + 28 * step) for step in range(2, 399, 11)),
)
SCRIPTS = {"ruRU": CYRILLIC, "koKR": HANGUL}


def script_of(locale: str) -> Script:
    """Return the alphabet in which the players of a realm with `locale` ("enGB") name themselves."""
    return SCRIPTS.get(locale, LATIN)
