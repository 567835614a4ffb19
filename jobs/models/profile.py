"""Bodies of a character's profile.

Professions are recorded (2020, EU); the four others follow the types that clients publish
(Pewtro/blizzard-api, 2026), so only what is stored is named, and little of it is required.
"""

from jobs.models.common import Body, Named, Number, Ref, Typed
from jobs.names import Name


class Level(Body, frozen=True):
    """{"value": 447}: an item's level."""

    value: float


class EquippedItem(Body, frozen=True):
    """One worn item."""

    slot: Typed
    level: Level | None = None
    inventory_type: Typed | None = None


class Equipment(Body, frozen=True):
    """`…/equipment`."""

    equipped_items: list[EquippedItem]


class Specializations(Body, frozen=True):
    """`…/specializations`; a character below the first choice has no active one."""

    active_specialization: Named | None = None


class RunMember(Body, frozen=True):
    """Who took part in a keystone run."""

    character: Ref
    specialization: Named | None = None


class Run(Body, frozen=True):
    """One of the best keystone runs of the week."""

    keystone_level: Number
    dungeon: Named
    is_completed_within_time: bool = False
    members: list[RunMember] = []


class Period(Body, frozen=True):
    """The current week; without runs there is no list."""

    best_runs: list[Run] | None = None


class Rating(Body, frozen=True):
    """Mythic keystone rating."""

    rating: float


class Keystones(Body, frozen=True):
    """`…/mythic-keystone-profile`. current_period is required: it tells a profile from an error."""

    current_period: Period
    character: Ref | None = None
    current_mythic_rating: Rating | None = None


class Progress(Body, frozen=True):
    """Bosses killed and bosses there are."""

    completed_count: Number
    total_count: Number


class Mode(Body, frozen=True):
    """One difficulty of a raid."""

    difficulty: Typed
    progress: Progress


class Instance(Body, frozen=True):
    """One raid; its number grows with the game's age."""

    instance: Named
    modes: list[Mode] = []


class Expansion(Body, frozen=True):
    """The raids of one expansion."""

    instances: list[Instance] = []


class Raids(Body, frozen=True):
    """`…/encounters/raids`; who never raided has no expansions."""

    expansions: list[Expansion] | None = None


class TierName(Body, frozen=True):
    """{"name": "Kul Tiran Alchemy", "id": 2478}."""

    id: Number
    name: Name


class Tier(Body, frozen=True):
    """Skill in one expansion's part of a profession."""

    tier: TierName
    skill_points: Number = 0
    max_skill_points: Number = 0


class Profession(Body, frozen=True):
    """A profession; Archaeology has points of its own instead of tiers."""

    profession: Named
    tiers: list[Tier] | None = None
    skill_points: Number | None = None
    max_skill_points: Number | None = None


class Professions(Body, frozen=True):
    """`…/professions`; who learned none has neither list."""

    primaries: list[Profession] | None = None
    secondaries: list[Profession] | None = None
