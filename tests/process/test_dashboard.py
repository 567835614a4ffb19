"""The page in a real browser, against a running program: Debian's Chromium, driven by Playwright."""

import re
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.configuration import CLIENTS, preset
from scripts.benchmarks.system import System, gatherer, simulator

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: scripts/setup dev")
CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("chromium is not installed: apt-get install chromium", allow_module_level=True)

pytestmark = pytest.mark.slow

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
WORLD = ["--realms", "4", "--characters-per-realm", "300", "--latency-median", "0.02", "--valid", "1.0"]
WITHIN_MS = 20_000
WORKERS = ("characters", "guilds", "profile", "items")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("page")
    with simulator(folder, CLIENTS, WORLD) as world:
        config = preset("development", world.base_url, world.token_url, hour_lifted=False, paused=("profile",))
        with gatherer(folder, config) as running:
            characters = world.entities("characters", 200)
            running.enqueue("characters", characters, priority="urgent")
            running.daemon.get(f"/jobs/{last_job(running)}/wait", {"timeout_s": 60}, timeout_s=90.0)
            yield running


@pytest.fixture(scope="module")
def address(system: System) -> str:
    return f"http://127.0.0.1:{system.port()}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api.expect.set_options(timeout=WITHIN_MS)
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


def is_complaint(message: Any) -> bool:
    """Tell whether a line of the browser's console is one; of answers without their address `is_bad` judges."""
    return message.type == "error" and not message.text.startswith("Failed to load resource")


def is_bad(answer: Any) -> bool:
    """Tell whether the page asked for something that it should not have; nobody knows beforehand who is stored."""
    return answer.status >= 400 and "/entities/" not in answer.url


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """An open page; whatever the browser complained about fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WITHIN_MS)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
    page.on("response", lambda answer: complaints.append(f"{answer.status} {answer.url}") if is_bad(answer) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(address) else complaints.append(asked.url))
    page.goto(address)
    page.wait_for_selector("#worker-cards article")
    yield page
    context.close()
    assert complaints == []


def eventually(look: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.2)


def last_job(system: System) -> int:
    return int(system.query("SELECT max(id) FROM jobs")[0][0])


def card(page: Any, name: str) -> Any:
    return page.get_by_role("article", name=name, exact=True)


def number_of(card: Any, fact: str) -> float:
    text = card.locator(f'[data-key="{fact}"] dd').inner_text()
    return float(text.replace(",", ""))


def metric(address: str, line: str) -> float:
    with urllib.request.urlopen(f"{address}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return sum(float(value) for value in re.findall(rf"^{line} (\S+)$", text, re.MULTILINE))


def test_each_number_is_that_of_the_metrics_and_of_the_database(page: Any, system: System, address: str) -> None:
    for worker in WORKERS:
        system.daemon.post(f"/workers/{worker}/pause")
    system.enqueue("profile", ["eu/argent-dawn/somebody", "eu/argent-dawn/somebodyelse"], priority="urgent")
    sync_api.expect(card(page, "worker profile").locator('[data-key="urgent"] dd')).to_have_text("2")
    eventually(lambda: system.query("SELECT count(*) FROM jobs WHERE state = 'executing'") == [(0,)])
    # The database tells its counts once a second: the three agree as soon as nothing moves any more.
    eventually(lambda: shown(page) == told(address) == stored(system))
    assert shown(page)["profile", "available"] >= 2
    key, labels = card(page, "key osint-1"), 'key="osint-1",window="3600s"'
    hour = metric(address, f"gatherer_key_window_used{{{labels}}}")
    assert number_of(key, "left") == metric(address, f"gatherer_key_window_limit{{{labels}}}") - hour
    assert hour > 0
    assert number_of(key, "429") == metric(address, r'gatherer_requests_total{key="osint-1",status="429",worker=".*"}')
    for worker in set(WORKERS) - {"profile"}:
        system.daemon.post(f"/workers/{worker}/resume")


def shown(page: Any) -> dict[tuple[str, str], float]:
    facts = {"available": "waiting", "executing": "executing", "discarded": "discarded"}
    cards = {worker: card(page, f"worker {worker}") for worker in WORKERS}
    return {(worker, state): number_of(cards[worker], fact) for worker in WORKERS for state, fact in facts.items()}


def told(address: str) -> dict[tuple[str, str], float]:
    names = 'gatherer_queue_jobs{{priority="[a-z]+",state="{state}",worker="{worker}"}}'
    return {
        (worker, state): metric(address, names.format(worker=worker, state=state))
        for worker in WORKERS
        for state in ("available", "executing", "discarded")
    }


def stored(system: System) -> dict[tuple[str, str], float]:
    rows = system.query("SELECT kind, state, count(*) FROM jobs GROUP BY 1, 2")
    counts = {(kind, state): count for kind, state, count in rows}
    return {
        (worker, state): counts.get((worker, state), 0)
        for worker in WORKERS
        for state in ("available", "executing", "discarded")
    }


def test_a_click_on_plus_is_in_the_file_and_in_force_and_auto_lets_it_move(page: Any, system: System) -> None:
    items = card(page, "worker items")
    items.get_by_role("button", name="one more concurrency").click()
    sync_api.expect(page.locator("#said")).to_contain_text("items: 2 replicas × 6, in force after")
    sync_api.expect(items.locator(".concurrency output")).to_have_text("6")
    assert "concurrency = 6" in (system.folder / "config.toml").read_text()
    items.get_by_role("button", name="auto").click()
    sync_api.expect(items.get_by_role("button", name="auto")).to_have_attribute("aria-pressed", "true")
    assert 'concurrency = "auto"' in (system.folder / "config.toml").read_text()
    items.get_by_role("button", name="auto").click()
    sync_api.expect(items.get_by_role("button", name="auto")).to_have_attribute("aria-pressed", "false")


def test_a_click_pauses_and_resumes_a_worker(page: Any) -> None:
    guilds = card(page, "worker guilds")
    guilds.get_by_role("button", name="Pause").click()
    sync_api.expect(guilds.locator(".pill")).to_have_text("paused")
    guilds.get_by_role("button", name="Resume").click()
    sync_api.expect(guilds.locator(".pill")).not_to_have_text("paused")


def test_a_character_is_found_with_what_is_known_of_it(page: Any, system: System) -> None:
    entity = system.query("SELECT entity FROM jobs WHERE state = 'completed' AND kind = 'characters' LIMIT 1")[0][0]
    page.get_by_label("A character, guild").fill(entity)
    page.get_by_role("button", name="Show").click()
    sync_api.expect(page.locator("#found h3").first).to_have_text(f"characters: {entity}")
    page.get_by_label("A character, guild").fill("eu/nowhere/nobody")
    page.get_by_role("button", name="Refresh now").click()
    sync_api.expect(page.locator("#said")).to_contain_text("nowhere/nobody")


def test_a_failed_job_is_shown_with_its_reason_and_can_be_tried_again(page: Any, system: System) -> None:
    job = system.query("SELECT id FROM jobs WHERE kind = 'profile' AND state = 'available' LIMIT 1")[0][0]
    system.daemon.post(f"/jobs/{job}/discard")
    row = page.locator(f'[data-job="{job}"]')
    sync_api.expect(row).to_contain_text("discarded")
    row.get_by_role("button", name="Retry").click()
    sync_api.expect(page.locator("#said")).to_contain_text("runs again")
    sync_api.expect(row).to_have_count(0)


def test_names_of_strangers_are_text_on_the_page(page: Any, system: System) -> None:
    name = "<img src=x onerror=document.title='owned'>"
    system.enqueue("profile", [f"eu/argent-dawn/{name}"], provenance=f"{name}\u2028\u202e")
    job = system.query("SELECT id FROM jobs WHERE kind = 'profile' AND entity LIKE '%<img%'")[0][0]
    system.daemon.post(f"/jobs/{job}/discard")
    sync_api.expect(page.locator(f'[data-job="{job}"]')).to_contain_text(name)
    page.get_by_label("A character, guild").fill(f"eu/nowhere/{name}")
    page.get_by_role("button", name="Refresh now").click()
    sync_api.expect(page.locator("#said")).to_contain_text("<img")
    assert page.locator('img[src="x"]').count() == 0
    assert page.title() == "Gatherer"
    sync_api.expect(page.locator("#health")).not_to_have_text("connecting")


def test_a_mistake_in_the_file_stands_at_the_top_until_it_is_mended(page: Any, system: System) -> None:
    config = system.folder / "config.toml"
    good = config.read_text()
    config.write_text(good + '\n[workers.guild]\njob = "jobs.guilds"\ntag = "osint"\nconcurency = 2\n')
    sync_api.expect(page.locator("#alerts")).to_contain_text(f"{config}:")
    sync_api.expect(page.locator("#alerts")).to_contain_text("concurency")
    config.write_text(good)
    sync_api.expect(page.locator("#alerts")).to_be_empty()


def test_a_phone_needs_no_sideways_scrolling_and_the_dark_is_dark(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark")
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#worker-cards article")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    red, green, blue = re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]
    assert int(red) + int(green) + int(blue) < 150
    context.close()


def test_the_keyboard_reaches_the_controls_and_each_has_a_name(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the workers"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"
    named = "[...document.querySelectorAll('button')].map((button) => button.ariaLabel ?? button.textContent)"
    assert all(page.evaluate(named))


def test_the_page_says_so_when_the_program_is_away_and_finds_it_again(browser: Any, tmp_path: Path) -> None:
    with simulator(tmp_path, CLIENTS, WORLD) as world:
        config = preset("development", world.base_url, world.token_url)
        with gatherer(tmp_path, config) as first:
            port = first.port()
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}")
            sync_api.expect(page.locator("#health")).to_have_text("ready")
        sync_api.expect(page.locator("#health")).to_contain_text("lost")
        with gatherer(tmp_path, config.replace("127.0.0.1:0", f"127.0.0.1:{port}")):
            sync_api.expect(page.locator("#health")).to_have_text("ready")
        page.close()
