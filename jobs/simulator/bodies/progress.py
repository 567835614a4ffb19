"""What a character has achieved: mythic keystone profile, raids, professions."""

from jobs.simulator.bodies.ask import Ask, Json, Page, character_path, page, self_link
from jobs.simulator.bodies.professions import primaries, secondaries
from jobs.simulator.bodies.seasons import AFFIXES, DUNGEONS, KEYSTONE_SEASON, period_now
from jobs.simulator.chance import dice
from jobs.simulator.world.characters import Character
from jobs.simulator.world.people import RACE_NAMES, TOP_LEVEL

_RAIDS = (
    (396, "Dragonflight", ((1200, "Vault of the Kiln"), (1207, "The Glass Archive"))),
    (505, "The War Within", ((1273, "Weaver's Court"), (1296, "The Undertow"), (1302, "Orrery of Salt"))),
)
_DIFFICULTIES = (("LFR", "Raid Finder"), ("NORMAL", "Normal"), ("HEROIC", "Heroic"), ("MYTHIC", "Mythic"))
_BOSSES = 8


def keystone_profile(ask: Ask, realm: str, name: str) -> Page | None:
    """GET …/{name}/mythic-keystone-profile: rating and best runs only for who has played this season."""
    character = ask.found(realm, name)
    if character is None:
        return None
    path = f"{character_path(character)}/mythic-keystone-profile"
    period = period_now(ask)
    current: Json = {"period": {"key": ask.dynamic(f"mythic-keystone/period/{period}"), "id": period}}
    body: Json = {
        "_links": self_link(ask.profile(path)),
        "current_period": current,
        "seasons": [
            {"key": ask.profile(f"{path}/season/{number}"), "id": number}
            for number in range(KEYSTONE_SEASON - character.id % 3, KEYSTONE_SEASON + 1)
        ],
        "character": ask.character(character),
    }
    if character.level == TOP_LEVEL and character.number % 3:
        current["best_runs"] = [_run(ask, character)]
        body["current_mythic_rating"] = _rating(600.0 + character.id % 3000 + 0.25)
    return page(body, character.last_login)


def raids(ask: Ask, realm: str, name: str) -> Page | None:
    """GET …/{name}/encounters/raids: no expansions at all for who has never raided."""
    character = ask.found(realm, name)
    if character is None:
        return None
    body: Json = {
        "_links": self_link(ask.profile(f"{character_path(character)}/encounters/raids")),
        "character": ask.character(character),
    }
    if character.level == TOP_LEVEL:
        body["expansions"] = [
            {
                "expansion": ask.named("journal-expansion", number, words),
                "instances": [_instance(ask, character, *instance) for instance in instances],
            }
            for number, words, instances in _RAIDS
        ]
    return page(body, character.last_login)


def professions(ask: Ask, realm: str, name: str) -> Page | None:
    """GET …/{name}/professions: recorded 96 KB for one who has learned much; most have learned less."""
    character = ask.found(realm, name)
    if character is None:
        return None
    body: Json = {
        "_links": self_link(ask.profile(f"{character_path(character)}/professions")),
        "character": ask.character(character),
        "primaries": primaries(ask.region, ask.locale, character.number),
        "secondaries": secondaries(ask.region, ask.locale, character.number),
    }
    return page(body, character.last_login)


def _run(ask: Ask, character: Character) -> Json:
    dungeon = list(DUNGEONS)[character.id % len(DUNGEONS)]
    own = {"name": character.name, "id": character.id, "realm": ask.realm(character.realm)}
    member = {
        "character": own,
        "specialization": ask.named("playable-specialization", character.spec.id, character.spec.name),
        "race": ask.named("playable-race", character.race, RACE_NAMES[character.race]),
        "equipped_item_level": character.item_level,
    }
    return {
        "completed_timestamp": int(character.last_login) * 1000,
        "duration": 1_500_000 + character.id % 600_000,
        "keystone_level": 2 + character.id % 14,
        "keystone_affixes": [ask.named("keystone-affix", number, words) for number, words, _ in AFFIXES],
        "members": [member],
        "dungeon": ask.named("mythic-keystone/dungeon", dungeon, DUNGEONS[dungeon][0]),
        "is_completed_within_time": bool(character.id & 1),
        "mythic_rating": _rating(180.0 + character.id % 200 + 0.5),
    }


def _rating(rating: float) -> Json:
    return {"color": {"r": 163, "g": 53, "b": 238, "a": 1.0}, "rating": rating}


def _instance(ask: Ask, character: Character, number: int, words: str) -> Json:
    chance = dice(character.number, "raid", number, character.logins // 4)
    reach = chance.randint(1, len(_DIFFICULTIES))
    modes = []
    for kind, name in _DIFFICULTIES[:reach]:
        killed = chance.randint(1, _BOSSES)
        status = ("COMPLETE", "Complete") if killed == _BOSSES else ("IN_PROGRESS", "In Progress")
        encounters = [
            {
                "encounter": ask.named("journal-encounter", number * 2 + boss, f"Warden of {words} {boss + 1}"),
                "completed_count": 1 + chance.randrange(9),
                "last_kill_timestamp": int(character.last_login - boss * 600) * 1000,
            }
            for boss in range(killed)
        ]
        progress = {"completed_count": killed, "total_count": _BOSSES, "encounters": encounters}
        modes.append({"difficulty": ask.typed(kind, name), "status": ask.typed(*status), "progress": progress})
    return {"instance": ask.named("journal-instance", number, words), "modes": modes}
