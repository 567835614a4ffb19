"""Bodies of public leaderboards, where unknown characters and guilds are found (recorded 2019).

Only names are read, so nearly everything may be absent.
"""

from jobs.models.common import Body, Link, Ref


class RealmSlug(Body, frozen=True):
    """A realm; a hall of fame has no name for it."""

    slug: str = ""


class Ranked(Body, frozen=True):
    """A character or a guild on a leaderboard."""

    name: str = ""
    realm: RealmSlug = RealmSlug()


class KeystoneMember(Body, frozen=True):
    """One of a group's members."""

    profile: Ranked | None = None


class KeystoneGroup(Body, frozen=True):
    """A group that finished a dungeon in time."""

    members: list[KeystoneMember] = []


class KeystoneLeaderboard(Body, frozen=True):
    """`…/connected-realm/{id}/mythic-leaderboard/{dungeon}/period/{period}`; no groups in a young week."""

    leading_groups: list[KeystoneGroup] = []


class KeystoneLink(Body, frozen=True):
    """The way to one dungeon's leaderboard of the current period."""

    key: Link


class KeystoneIndex(Body, frozen=True):
    """`…/connected-realm/{id}/mythic-leaderboard/index`."""

    current_leaderboards: list[KeystoneLink] = []


class PvpSeasonIndex(Body, frozen=True):
    """`/data/wow/pvp-season/index`."""

    current_season: Ref


class PvpEntry(Body, frozen=True):
    """A rank; brackets of whole teams name no character."""

    character: Ranked | None = None


class PvpLeaderboard(Body, frozen=True):
    """`/data/wow/pvp-season/{id}/pvp-leaderboard/{bracket}`."""

    entries: list[PvpEntry] = []


class FameEntry(Body, frozen=True):
    """A guild of any region that finished a raid early."""

    guild: Ranked | None = None
    region: str = ""


class HallOfFame(Body, frozen=True):
    """`/data/wow/leaderboard/hall-of-fame/{raid}/{faction}`."""

    entries: list[FameEntry] = []
