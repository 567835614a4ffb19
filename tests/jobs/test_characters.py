"""Worker characters: which requests it sends, and what it stores."""

from supervisor.worker.sdk import Done, Priority, Skipped
from tests.jobs import bodies
from tests.jobs.character_world import ALL, DAY_S, ENTITY, World
from tests.jobs.support import missing, ok, status


async def test_an_unknown_character_costs_five_requests_and_is_stored(world: World) -> None:
    outcome = await world.scan()
    assert isinstance(outcome, Done)
    assert world.asked[0] == "/status"
    assert sorted(world.asked) == sorted(ALL)
    row = world.row()
    assert (row["id"], row["level"], row["race"], row["class"], row["spec"]) == (
        1,
        80,
        "Human",
        "Paladin",
        "Retribution",
    )
    assert (row["pets_count"], row["mounts_count"]) == (3, 40)
    assert row["avatar_url"] == "https://render/avatar.jpg"
    assert row["main_url"] == "https://render/main-raw.jpg"
    assert row["last_login_at"] == bodies.LOGIN_MS / 1000
    parts = ("status", "summary", "pets", "mounts", "media")
    assert {row[f"{part}_success_at"] for part in parts} == {world.clock.wall()}


async def test_first_sight_is_not_history(world: World) -> None:
    await world.scan()
    assert world.database.rows("SELECT * FROM events") == []


async def test_fresh_data_needs_no_request(world: World) -> None:
    await world.scan()
    await world.clock.advance(3 * 3600)
    outcome = await world.scan(max_age_s=4 * 3600)
    assert outcome == Skipped(note="fresh 3 h ago (--max-age 0)", saved=5)
    assert world.asked == []


async def test_max_age_zero_always_asks(world: World) -> None:
    await world.scan()
    await world.scan(max_age_s=0)
    assert world.asked == [""]


async def test_an_unchanged_login_ends_the_job_after_one_request_and_is_a_success(world: World) -> None:
    await world.scan()
    await world.clock.advance(DAY_S)
    outcome = await world.scan()
    assert isinstance(outcome, Skipped)
    assert (world.asked, outcome.saved) == ([""], 4)
    assert world.row()["summary_success_at"] == world.clock.wall()
    assert outcome.follow_ups == []


async def test_a_new_login_reads_the_parts_again_without_the_status(world: World) -> None:
    await world.scan()
    await world.clock.advance(DAY_S)
    world.log_in()
    world.pages["/collections/pets"] = ok(bodies.pets(11, 12, 13, 14))
    outcome = await world.scan()
    assert isinstance(outcome, Done)
    assert (sorted(world.asked), outcome.saved) == (sorted(ALL[1:]), 1)
    assert world.row()["pets_count"] == 4


async def test_status_is_asked_again_every_thirty_days(world: World) -> None:
    await world.scan()
    await world.clock.advance(31 * DAY_S)
    outcome = await world.scan()
    assert isinstance(outcome, Skipped)
    assert (world.asked, outcome.saved) == (["/status", ""], 3)
    assert world.row()["status_success_at"] == world.clock.wall()


async def test_a_character_that_never_says_its_login_is_read_whole_each_time(world: World) -> None:
    world.pages[""] = ok(bodies.summary(last_login_timestamp=None))
    await world.scan()
    await world.clock.advance(DAY_S)
    await world.scan()
    assert len(world.asked) == 4


async def test_its_unknown_guild_and_its_profile_follow(world: World) -> None:
    world.pages[""] = ok(bodies.summary(guild=bodies.guild_ref(realm="azuremyst", name="Wolf Pack", slug="wolf-pack")))
    outcome = await world.scan(priority=Priority.URGENT)
    assert [(job.worker, job.entity, job.priority) for job in outcome.follow_ups] == [
        ("guilds", "eu/azuremyst/wolf-pack", Priority.BACKGROUND),
        ("profile", ENTITY, Priority.BACKGROUND),
    ]


async def test_a_guild_that_already_lists_the_character_does_not_follow(world: World) -> None:
    world.database.db.execute(
        "INSERT INTO guild_members VALUES ('eu', 'stormrage', 'avalerion', 'stormrage', 1, 'sheday', 80, 2, 1, 5, 0)"
    )
    world.pages[""] = ok(bodies.summary(guild=bodies.guild_ref()))
    outcome = await world.scan()
    assert [job.worker for job in outcome.follow_ups] == ["profile"]


async def test_names_are_asked_percent_encoded(world: World) -> None:
    world.pages[""] = ok(bodies.summary(name="Альвеоняша"))
    outcome = await world.scan("eu/howling-fjord/Альвеоняша")
    assert isinstance(outcome, Done)
    (row,) = world.database.show("characters", "eu/howling-fjord/АЛЬВЕОНЯША")
    assert row["name"] == "Альвеоняша"


async def test_alts_share_fingerprints_and_are_shown(world: World) -> None:
    await world.scan()
    world.pages["/collections/pets"] = ok(bodies.pets(13, 11, 12))
    world.pages["/status"], world.pages[""] = ok(bodies.status(2)), ok(bodies.summary(2, "Alt"))
    await world.scan("eu/stormrage/alt")
    (alt,) = world.database.show("characters", ENTITY, "show_same_account")
    assert (alt["entity"], alt["level"]) == ("eu/stormrage/alt", 80)


async def test_stale_gives_the_oldest_first_and_respects_logins_and_denials(world: World) -> None:
    await world.scan()
    await world.clock.advance(2 * DAY_S)
    world.pages["/status"], world.pages[""] = ok(bodies.status(2)), ok(bodies.summary(2, "Alt"))
    await world.scan("eu/stormrage/alt")
    await world.clock.advance(DAY_S)
    world.database.now = world.clock.wall()
    seen_at = bodies.LOGIN_MS / 1000
    assert world.database.stale("characters") == [ENTITY, "eu/stormrage/alt"]
    assert world.database.stale("characters", due_before=world.clock.wall() - 2 * DAY_S) == [ENTITY]
    assert world.database.stale("characters", seen_after=seen_at + 1) == []
    assert world.database.stale("characters", seen_before=seen_at) == []
    world.pages[""] = missing()
    await world.scan(max_age_s=0)
    assert world.database.stale("characters") == ["eu/stormrage/alt"]
    await world.clock.advance(2 * DAY_S)
    world.database.now = world.clock.wall()
    assert world.database.stale("characters") == [ENTITY, "eu/stormrage/alt"]


async def test_what_failed_lately_is_not_stale_for_an_hour(world: World) -> None:
    await world.scan()
    await world.clock.advance(DAY_S)
    world.pages[""] = status(503)
    await world.scan()
    assert world.database.stale("characters") == []
    await world.clock.advance(3600)
    world.database.now = world.clock.wall()
    assert world.database.stale("characters") == [ENTITY]
