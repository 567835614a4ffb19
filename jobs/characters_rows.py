"""Turn the bodies about a character into rows; pure, so that shapes and rows meet in one place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from jobs import fingerprints, names
from jobs.models.character import Media, Mounts, Pets, Summary

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A part with its own freshness. path: below the character's. columns: names, and their values of a body."""

    path: tuple[str, ...]
    model: type[Any]
    columns: tuple[str, ...]
    values: Callable[[Any], tuple[Any, ...]]


def summary_row(summary: Summary, region: str, locale: str, login_at: float) -> Row:
    """Return the parameters of `character_seen`, but for status_checked."""
    guild, spec = summary.guild, summary.active_spec
    return {
        "id": summary.id,
        "display_name": summary.name,
        "gender": summary.gender.type,
        "faction": summary.faction.type,
        "race_id": summary.race.id,
        "race": names.text(summary.race.name, locale),
        "class_id": summary.character_class.id,
        "class": names.text(summary.character_class.name, locale),
        "spec_id": spec.id if spec else None,
        "spec": names.text(spec.name, locale) if spec else None,
        "guild_id": guild.id if guild else None,
        "guild": guild_of(summary, region),
        "guild_name": guild.name if guild else None,
        "level": summary.level,
        "achievement_points": summary.achievement_points,
        "average_item_level": summary.average_item_level,
        "equipped_item_level": summary.equipped_item_level,
        "last_login_at": login_at,
    }


def part_row(part: Part, body: object | None, login_at: float) -> Row:
    """Return the parameters of `character_<part>`; body None = the API has none for this character."""
    values = (None,) * len(part.columns) if body is None else part.values(body)
    return dict(zip(part.columns, values, strict=True)) | {"found": body is not None, "login_at": login_at}


def guild_of(summary: Summary, region: str) -> str | None:
    """Return the entity of the character's guild, "" when its name cannot be one, None without a guild."""
    guild = summary.guild
    return names.guild_entity(region, guild.realm.slug, guild.name, guild.key.href) if guild else None


def _pets(body: Pets) -> tuple[int, str | None]:
    pairs = [(pet.id, pet.species.id) for pet in body.pets]
    return len(pairs), fingerprints.of_pets(pairs)


def _mounts(body: Mounts) -> tuple[int, str | None]:
    of_account = [each.mount.id for each in body.mounts if not each.is_character_specific]
    return len(body.mounts), fingerprints.of_mounts(of_account)


def _media(body: Media) -> tuple[str | None, str | None, str | None]:
    assets = {asset.key: asset.value for asset in body.assets or []}
    main = assets.get("main-raw", assets.get("main", body.render_url))
    return assets.get("avatar", body.avatar_url), assets.get("inset", body.bust_url), main


PARTS = {
    "pets": Part(("collections", "pets"), Pets, ("count", "fingerprint"), _pets),
    "mounts": Part(("collections", "mounts"), Mounts, ("count", "fingerprint"), _mounts),
    "media": Part(("character-media",), Media, ("avatar_url", "inset_url", "main_url"), _media),
}
