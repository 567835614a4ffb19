"""The game's own constants (public facts): races, classes, specializations, genders, factions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Specialization:
    """One specialization of a class; `role` is TANK, HEALER or DAMAGE."""

    id: int
    name: str
    role: str = "DAMAGE"


ALLIANCE, HORDE = "ALLIANCE", "HORDE"
FACTION_NAMES = {ALLIANCE: "Alliance", HORDE: "Horde"}
GENDERS = (("MALE", "Male"), ("FEMALE", "Female"))
RACES: dict[str, tuple[int, ...]] = {
    ALLIANCE: (1, 3, 4, 7, 11, 22, 25, 29, 30, 32, 34, 37),
    HORDE: (2, 5, 6, 8, 9, 10, 26, 27, 28, 31, 35, 36),
}
RACE_NAMES = {
    1: "Human",
    2: "Orc",
    3: "Dwarf",
    4: "Night Elf",
    5: "Undead",
    6: "Tauren",
    7: "Gnome",
    8: "Troll",
    9: "Goblin",
    10: "Blood Elf",
    11: "Draenei",
    22: "Worgen",
    25: "Pandaren",
    26: "Pandaren",
    27: "Nightborne",
    28: "Highmountain Tauren",
    29: "Void Elf",
    30: "Lightforged Draenei",
    31: "Zandalari Troll",
    32: "Kul Tiran",
    34: "Dark Iron Dwarf",
    35: "Vulpera",
    36: "Mag'har Orc",
    37: "Mechagnome",
}
CLASS_NAMES = {
    1: "Warrior",
    2: "Paladin",
    3: "Hunter",
    4: "Rogue",
    5: "Priest",
    6: "Death Knight",
    7: "Shaman",
    8: "Mage",
    9: "Warlock",
    10: "Monk",
    11: "Druid",
    12: "Demon Hunter",
    13: "Evoker",
}
_TANK, _HEAL = "TANK", "HEALER"
SPECIALIZATIONS: dict[int, tuple[Specialization, ...]] = {
    1: (Specialization(71, "Arms"), Specialization(72, "Fury"), Specialization(73, "Protection", _TANK)),
    2: (
        Specialization(65, "Holy", _HEAL),
        Specialization(66, "Protection", _TANK),
        Specialization(70, "Retribution"),
    ),
    3: (Specialization(253, "Beast Mastery"), Specialization(254, "Marksmanship"), Specialization(255, "Survival")),
    4: (Specialization(259, "Assassination"), Specialization(260, "Outlaw"), Specialization(261, "Subtlety")),
    5: (
        Specialization(256, "Discipline", _HEAL),
        Specialization(257, "Holy", _HEAL),
        Specialization(258, "Shadow"),
    ),
    6: (Specialization(250, "Blood", _TANK), Specialization(251, "Frost"), Specialization(252, "Unholy")),
    7: (
        Specialization(262, "Elemental"),
        Specialization(263, "Enhancement"),
        Specialization(264, "Restoration", _HEAL),
    ),
    8: (Specialization(62, "Arcane"), Specialization(63, "Fire"), Specialization(64, "Frost")),
    9: (Specialization(265, "Affliction"), Specialization(266, "Demonology"), Specialization(267, "Destruction")),
    10: (
        Specialization(268, "Brewmaster", _TANK),
        Specialization(270, "Mistweaver", _HEAL),
        Specialization(269, "Windwalker"),
    ),
    11: (
        Specialization(102, "Balance"),
        Specialization(103, "Feral"),
        Specialization(104, "Guardian", _TANK),
        Specialization(105, "Restoration", _HEAL),
    ),
    12: (Specialization(577, "Havoc"), Specialization(581, "Vengeance", _TANK)),
    13: (
        Specialization(1467, "Devastation"),
        Specialization(1468, "Preservation", _HEAL),
        Specialization(1473, "Augmentation"),
    ),
}
TOP_LEVEL = 80
