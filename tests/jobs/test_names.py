"""Names of many languages, as text and as keys."""

from jobs import names


def test_a_name_is_a_text_or_an_object_of_locales() -> None:
    assert names.text("Buche") == "Buche"
    assert names.text({"de_DE": "Buche", "en_GB": "Beech"}, "de_DE") == "Buche"
    assert names.text({"de_DE": "Buche", "en_GB": "Beech"}, "fr_FR") == "Beech"
    assert names.text({"ko_KR": "나무", "en_US": None}, "fr_FR") == "나무"
    assert names.text(None) == names.text({}) == ""


def test_characters_keep_accents_and_cyrillic_in_lower_case_and_nfc() -> None:
    assert names.character_entity("eu", "howling-fjord", "Альвеоняша") == "eu/howling-fjord/альвеоняша"
    assert names.character_entity("eu", "kaelthas", "Zoe\u0301") == "eu/kaelthas/zoé"
    assert names.character_name("ZOE\u0301") == "zoé"


def test_a_guild_takes_the_slug_of_its_link() -> None:
    href = "https://eu.api.blizzard.com/data/wow/guild/howling-fjord/%D1%8D%D0%BA%D0%B7%D0%BE%D1%80%D1%81%D1%83%D1%81?namespace=profile-eu"
    assert names.guild_entity("eu", "howling-fjord", "anything", href) == "eu/howling-fjord/экзорсус"


def test_a_guild_without_a_link_gets_a_slug_from_its_name() -> None:
    assert names.guild_entity("eu", "stormrage", "Wolf Pack") == "eu/stormrage/wolf-pack"


def test_what_cannot_be_an_entity_is_empty_and_no_error() -> None:
    assert names.character_entity("eu", "stormrage", "") == ""
    assert names.guild_entity("eu", "stormrage", "a/b") == ""
