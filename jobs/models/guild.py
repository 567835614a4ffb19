"""Bodies about one guild (recorded 2019, EU; newer fields from published types)."""

from jobs.models.common import Body, Number, RealmRef, Ref, Typed


class Guild(Body, frozen=True):
    """`/data/wow/guild/{realm}/{slug}`. created_timestamp: ms since 1970."""

    id: Number
    name: str
    faction: Typed
    realm: RealmRef
    member_count: Number
    achievement_points: Number = 0
    created_timestamp: Number | None = None


class MemberCharacter(Body, frozen=True):
    """A member as the roster tells it; its realm may be another one than the guild's."""

    id: Number
    name: str
    realm: RealmRef
    level: Number
    playable_class: Ref
    playable_race: Ref


class Member(Body, frozen=True):
    """rank: 0 = master; larger is lower."""

    character: MemberCharacter
    rank: Number


class Roster(Body, frozen=True):
    """`…/roster`. The list is required: a renamed one must not read as "everybody left"."""

    members: list[Member]
