"""Bodies about one character (recorded 2019-2024, EU and US; newer fields from published types)."""

from jobs.models.common import Body, Link, Named, Number, RealmRef, Ref, Typed


class Status(Body, frozen=True):
    """`…/status`. Both are required: a body that lost is_valid must not read as "nobody exists"."""

    id: Number
    is_valid: bool


class GuildRef(Body, frozen=True):
    """A character's guild; its realm may be another one than the character's."""

    id: Number
    name: str
    realm: RealmRef
    key: Link = Link()


class Summary(Body, frozen=True):
    """`/profile/wow/character/{realm}/{name}`. last_login_timestamp: ms since 1970.

    Strict in what makes identity and history; the rest may be absent.
    """

    id: Number
    name: str
    gender: Typed
    faction: Typed
    race: Named
    character_class: Named
    realm: RealmRef
    level: Number
    active_spec: Named | None = None
    guild: GuildRef | None = None
    achievement_points: Number = 0
    last_login_timestamp: Number | None = None
    average_item_level: Number | None = None
    equipped_item_level: Number | None = None


class Pet(Body, frozen=True):
    """One pet. id: its own number, unique to the pet."""

    id: Number
    species: Ref


class Pets(Body, frozen=True):
    """`…/collections/pets`. The list is required: a renamed one must not read as "has lost all pets"."""

    pets: list[Pet]


class Mount(Body, frozen=True):
    """One mount. is_character_specific: not of the account."""

    mount: Ref
    is_character_specific: bool = False


class Mounts(Body, frozen=True):
    """`…/collections/mounts`, strict as pets are."""

    mounts: list[Mount]


class Asset(Body, frozen=True):
    """One picture: {"key": "avatar", "value": "https://…"}."""

    key: str
    value: str


class Media(Body, frozen=True):
    """`…/character-media`: today a list of assets in no promised order; three addresses up to 2020."""

    assets: list[Asset] | None = None
    avatar_url: str | None = None
    bust_url: str | None = None
    render_url: str | None = None

    def __post_init__(self) -> None:
        if self.assets is None and self.avatar_url is None:
            raise ValueError("neither assets nor avatar_url")
