"""Status, summary and media of a character."""

from jobs.simulator.bodies.ask import Ask, Json, Page, character_path, page, self_link
from jobs.simulator.chance import draw
from jobs.simulator.world.characters import Character
from jobs.simulator.world.guilds import Guild
from jobs.simulator.world.people import CLASS_NAMES, FACTION_NAMES, GENDERS, RACE_NAMES

_LINKS = (
    ("achievements", "achievements"),
    ("titles", "titles"),
    ("pvp_summary", "pvp-summary"),
    ("raid_progression", "raid-progression"),
    ("encounters", "encounters"),
    ("media", "character-media"),
    ("specializations", "specializations"),
    ("statistics", "statistics"),
    ("mythic_keystone_profile", "mythic-keystone-profile"),
    ("equipment", "equipment"),
    ("appearance", "appearance"),
    ("collections", "collections"),
    ("reputations", "reputations"),
    ("quests", "quests"),
    ("achievements_statistics", "achievements/statistics"),
    ("professions", "professions"),
)
_TITLES = ("{name} the Unhurried", "Brewer {name}", "{name}, Keeper of Small Things", "Lamplighter {name}")
_COVENANTS = ((1, "Kyrian"), (2, "Venthyr"), (3, "Night Fae"), (4, "Necrolord"))
_HUNTER = 3


def status(ask: Ask, realm: str, name: str) -> Page | None:
    """GET …/{name}/status: id and is_valid; 404 only for who is unknown or shares nothing."""
    character = ask.world.find(ask.region, realm, name)
    if character is None or character.state == "missing":
        return None
    link = ask.profile(f"{character_path(character)}/status")
    body = {"_links": self_link(link), "id": character.id, "is_valid": character.state == "valid"}
    return page(body, character.last_login)


def summary(ask: Ask, realm: str, name: str) -> Page | None:
    """GET …/{name}: the character itself."""
    character = ask.found(realm, name)
    if character is None:
        return None
    path = character_path(character)
    body: Json = {"_links": self_link(ask.profile(path)), **_person(ask, character)}
    if character.guild is not None:
        body["guild"] = _guild(ask, character.guild)
    body |= {
        "level": character.level,
        "experience": 0,
        "achievement_points": character.achievement_points,
        "last_login_timestamp": int(character.last_login) * 1000,
        "average_item_level": character.item_level,
        "equipped_item_level": character.item_level - character.number % 4,
        "is_remix": False,
        "name_search": character.name.lower(),
    }
    body |= {field: ask.profile(f"{path}/{part}") for field, part in _LINKS}
    return page(body | _optional(ask, character, path), character.last_login)


def media(ask: Ask, realm: str, name: str) -> Page | None:
    """GET …/{name}/character-media: the present shape, or with --old-media that of 2019."""
    character = ask.found(realm, name)
    if character is None:
        return None
    link = ask.profile(f"{character_path(character)}/character-media")
    head: Json = {"_links": self_link(link), "character": ask.character(character)}
    place = f"character/{character.realm.slug}/{character.id % 256}/{character.id}"
    if ask.options.old_media:
        old = f"https://render-{ask.region}.worldofwarcraft.com/{place}"
        urls = {"avatar_url": f"{old}-avatar.jpg", "bust_url": f"{old}-inset.jpg", "render_url": f"{old}-main.jpg"}
        return page(head | urls, character.last_login)
    new = f"https://render.worldofwarcraft.com/{ask.region}/{place}"
    pictures = (("avatar", "avatar.jpg"), ("inset", "inset.jpg"), ("main-raw", "main-raw.png"))
    assets = [{"key": key, "value": f"{new}-{file}"} for key, file in pictures]
    return page(head | {"assets": assets}, character.last_login)


def _person(ask: Ask, character: Character) -> Json:
    return {
        "id": character.id,
        "name": character.name,
        "gender": ask.typed(*GENDERS[character.gender]),
        "faction": ask.typed(character.faction, FACTION_NAMES[character.faction]),
        "race": ask.named("playable-race", character.race, RACE_NAMES[character.race]),
        "character_class": ask.named("playable-class", character.class_id, CLASS_NAMES[character.class_id]),
        "active_spec": ask.named("playable-specialization", character.spec.id, character.spec.name),
        "realm": ask.realm(character.realm),
    }


def _guild(ask: Ask, guild: Guild) -> Json:
    return ask.guild(guild) | {"faction": ask.typed(guild.faction, FACTION_NAMES[guild.faction])}


def _optional(ask: Ask, character: Character, path: str) -> Json:
    more: Json = {}
    chance = draw(character.number, "optional")
    if character.titled:
        title = _TITLES[chance % len(_TITLES)]
        plain = title.replace("{name}", "").strip(" ,")
        more["active_title"] = {**ask.named("title", 50 + chance % 400, plain), "display_string": ask.text(title)}
    if character.class_id == _HUNTER:
        more["hunter_pets"] = ask.profile(f"{path}/hunter-pets")
    if chance & 0x100:
        covenant = _COVENANTS[chance >> 10 & 3]
        more["covenant_progress"] = {
            "chosen_covenant": ask.named("covenant", *covenant),
            "renown_level": 1 + (chance >> 12) % 80,
            "soulbinds": ask.profile(f"{path}/soulbinds"),
        }
    if chance & 0x200:
        more["houses"] = [ask.profile(f"{path}/house/house-1")]
    return more
