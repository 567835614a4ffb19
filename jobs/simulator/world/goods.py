"""What an item is: made from its id, and named like nothing in the game."""

from dataclasses import dataclass
from functools import lru_cache

from jobs.simulator.chance import dice

QUALITIES = (("POOR", "Poor"), ("COMMON", "Common"), ("UNCOMMON", "Uncommon"), ("RARE", "Rare"), ("EPIC", "Epic"))
WEAPON, ARMOR = (2, "Weapon"), (4, "Armor")
_GEAR = (
    (WEAPON, (7, "Sword"), ("WEAPON", "One-Hand"), "Blade"),
    (WEAPON, (10, "Staff"), ("TWOHWEAPON", "Two-Hand"), "Staff"),
    (WEAPON, (5, "Mace"), ("TWOHWEAPON", "Two-Hand"), "Maul"),
    (ARMOR, (1, "Cloth"), ("HEAD", "Head"), "Hood"),
    (ARMOR, (2, "Leather"), ("FEET", "Feet"), "Boots"),
    (ARMOR, (3, "Mail"), ("SHOULDER", "Shoulder"), "Spaulders"),
    (ARMOR, (4, "Plate"), ("CHEST", "Chest"), "Breastplate"),
    (ARMOR, (0, "Miscellaneous"), ("FINGER", "Finger"), "Ring"),
)
_OTHER = (
    ((0, "Consumable"), (1, "Potion"), ("NON_EQUIP", "Non-equippable"), "Draught"),
    ((0, "Consumable"), (5, "Food & Drink"), ("NON_EQUIP", "Non-equippable"), "Stew"),
    ((7, "Tradeskill"), (5, "Cloth"), ("NON_EQUIP", "Non-equippable"), "Bolt"),
    ((7, "Tradeskill"), (9, "Herb"), ("NON_EQUIP", "Non-equippable"), "Petals"),
    ((7, "Tradeskill"), (7, "Metal & Stone"), ("NON_EQUIP", "Non-equippable"), "Ore"),
    ((3, "Gem"), (2, "Strength"), ("NON_EQUIP", "Non-equippable"), "Opal"),
    ((1, "Container"), (0, "Bag"), ("BAG", "Bag"), "Satchel"),
    ((12, "Quest"), (0, "Quest"), ("NON_EQUIP", "Non-equippable"), "Letter"),
    ((15, "Miscellaneous"), (0, "Junk"), ("NON_EQUIP", "Non-equippable"), "Trinket"),
)
_LOOKS = [
    "Weathered",
    "Bright",
    "Sunken",
    "Windworn",
    "Twice-mended",
    "Unlucky",
    "Marshlight",
    "Old",
    "Drowsy",
    "Crimson",
    "Nameless",
    "Salted",
]
_SOURCES = [
    "Gravel",
    "Thistle",
    "Wicker",
    "Lantern",
    "Heron",
    "Bramble",
    "Ferry",
    "Mason",
    "Orchard",
    "Tallow",
    "Kelp",
    "Cinder",
]
_REMARKS = ("Smells faintly of rain.", "Somebody has scratched a name into it.", "It was not like this yesterday.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """One item. price: what a vendor pays, copper. Pairs are (id or type, English name)."""

    id: int
    name: str
    quality: tuple[str, str]
    level: int
    required_level: int
    item_class: tuple[int, str]
    subclass: tuple[int, str]
    slot: tuple[str, str]
    price: int
    description: str
    icon: str

    @property
    def is_gear(self) -> bool:
        """Whether it can be worn."""
        return self.item_class in (WEAPON, ARMOR)


@lru_cache(maxsize=16_384)
def good(seed: int, item_id: int) -> Good:
    """Return the item of an id (see `World.has_item` for which ids have one)."""
    chance = dice(seed, "good", item_id)
    item_class, subclass, slot, noun = chance.choice(_GEAR if chance.random() < 0.55 else _OTHER)
    level = chance.randint(1, 680) if item_class in (WEAPON, ARMOR) else chance.randint(1, 80)
    return Good(
        id=item_id,
        name=f"{chance.choice(_LOOKS)} {chance.choice(_SOURCES)} {noun}",
        quality=chance.choices(QUALITIES, (1, 3, 4, 4, 2))[0],
        level=level,
        required_level=min(80, level // 8),
        item_class=item_class,
        subclass=subclass,
        slot=slot,
        price=int(chance.lognormvariate(8, 2)) + 1,
        description=chance.choice(_REMARKS) if chance.random() < 0.2 else "",
        icon=f"inv_{noun.lower()}_{chance.randint(1, 60):02d}",
    )
