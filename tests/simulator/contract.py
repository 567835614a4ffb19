"""What is known to differ between the simulator's bodies and the recorded ones, and why.

NEWER: fields that the simulator has and no recording of that endpoint (most recordings are of 2019). Unless another
reason is given, public type definitions of today's API list them (Pewtro/blizzard-api, wow package, 2026).
ABSENT: fields that a recording has and the simulator has not. A name stands for everything below it.
"""

TODAY = "in today's public type definitions"
OTHER = "in recordings of the same endpoint of another year"
ROW = "rare in the recorded bodies and stored by no job"

NEWER: dict[str, dict[str, str]] = {
    "character-summary": {
        ".achievements_statistics": TODAY,
        ".covenant_progress": TODAY,
        ".encounters": TODAY,
        ".guild.faction": TODAY,
        ".houses": TODAY,
        ".hunter_pets": TODAY,
        ".is_remix": TODAY,
        ".name_search": TODAY,
        ".professions": TODAY,
    },
    "character-media": {".assets": "replaced the three urls of 2019, which --old-media brings back"},
    "character-mounts": {".mounts[].is_useable": OTHER, ".mounts[].is_character_specific": OTHER},
    "character-mounts of all locales": {".mounts[].is_favorite": OTHER},
    "character-professions": {".character": TODAY},
    "guild-summary": {
        ".activity": TODAY,
        ".crest.border.media.id": TODAY,
        ".crest.emblem.media.id": TODAY,
        ".name_search": TODAY,
    },
    "guild-roster": {
        ".guild.faction": TODAY,
        ".members[].character.faction": TODAY,
        ".members[].character.key": TODAY,
    },
    "item": {".appearances": OTHER},
    "item of all locales": {
        ".preview_item.container_slots": OTHER,
        ".preview_item.name_description": OTHER,
        ".preview_item.sockets": OTHER,
        ".preview_item.unique_equipped": OTHER,
    },
    "item-media": {".assets[].file_data_id": OTHER, ".id": OTHER},
    "connected-realm": {".auctions": TODAY},
    "auctions": {
        ".auctions[].item.pet_breed_id": TODAY,
        ".auctions[].item.pet_level": TODAY,
        ".auctions[].item.pet_quality_id": TODAY,
        ".auctions[].item.pet_species_id": TODAY,
        ".commodities": "in the recorded sample this link stands inside the list, where the cut left it",
    },
    "mythic-leaderboard": {".leading_groups[].mythic_rating": TODAY},
}

_RARE_PREVIEW = (
    "azerite_details",
    "charges",
    "conjured",
    "create_loot_spec_item",
    "expiration_time_left",
    "gem_properties",
    "item_starts_quest",
    "limit_category",
    "modified_appearance_id",
    "modified_crafting_stat",
    "recipe",
    "set",
    "shield_block",
    "socket_bonus",
    "toy",
    "requirements.ability",
    "requirements.areas",
    "requirements.faction",
    "requirements.holiday",
    "requirements.map",
    "requirements.playable_classes",
    "requirements.playable_races",
    "requirements.reputation",
    "spells[].display_color",
    ").split()",
)

ABSENT: dict[str, dict[str, str]] = {
    "character-media": {
        ".avatar_url": "2019, brought back by --old-media",
        ".bust_url": "2019, brought back by --old-media",
        ".render_url": "2019, brought back by --old-media",
    },
    "item": {
        ".azerite_class_powers": ROW,
        ".modified_crafting": ROW,
        **{f".preview_item.{name}": ROW for name in _RARE_PREVIEW},
    },
    "item of all locales": {f".preview_item.{name}": ROW for name in _RARE_PREVIEW},
    "auctions": {
        ".auctions[].href": "the commodities link that the cut sample left inside the list",
        ".auctions[].item.rand": "Classic only",
        ".auctions[].item.seed": "Classic only",
        ".id": "Classic only: one of several houses of a realm",
        ".name": "Classic only: one of several houses of a realm",
    },
    "commodities": {
        ".connected_realm": "recorded before commodities had an endpoint of their own",
        ".auctions[].buyout": "the gear of that time's mixed list",
        ".auctions[].item.bonus_lists": "the gear of that time's mixed list",
        ".auctions[].item.context": "the gear of that time's mixed list",
        ".auctions[].item.modifiers": "the gear of that time's mixed list",
    },
}


def is_listed(path: str, listed: dict[str, str]) -> bool:
    """Return whether `path` or something above it is in a list."""
    return any(path == name or path.startswith((f"{name}.", f"{name}[")) for name in listed)
