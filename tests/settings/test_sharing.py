import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.settings.sharing import Drawer, share


def drawer(name: str, weight: float, *keys: str, wants_per_s: float = math.inf) -> Drawer:
    return Drawer(name=name, weight=weight, keys=keys, wants_per_s=wants_per_s)


def test_workers_with_endless_work_share_by_weight() -> None:
    got = share({"a": 60.0, "b": 30.0}, [drawer("heavy", 2, "a", "b"), drawer("light", 1, "a", "b")])
    assert got == pytest.approx({"heavy": 60.0, "light": 30.0})


def test_what_one_worker_does_not_want_the_others_get() -> None:
    got = share({"a": 90.0}, [drawer("heavy", 2, "a", wants_per_s=10.0), drawer("light", 1, "a")])
    assert got == pytest.approx({"heavy": 10.0, "light": 80.0})


def test_the_least_flexible_key_is_drawn_first() -> None:
    """So that what only one worker can use is used, and the shared key is left to the others."""
    got = share({"own": 50.0, "shared": 50.0}, [drawer("rich", 1, "own", "shared"), drawer("poor", 1, "shared")])
    assert got == pytest.approx({"rich": 50.0, "poor": 50.0})


def test_a_worker_without_keys_gets_nothing() -> None:
    assert share({"a": 10.0}, [drawer("poor", 1), drawer("rich", 1, "a")]) == pytest.approx({"poor": 0.0, "rich": 10.0})


def test_nobody_wanting_leaves_everything() -> None:
    assert share({"a": 10.0}, [drawer("idle", 1, "a", wants_per_s=0.0)]) == {"idle": 0.0}


KEYS = ("a", "b", "c")
DRAWERS = st.lists(
    st.tuples(st.floats(0.1, 10), st.sets(st.sampled_from(KEYS)), st.floats(0, 200) | st.just(math.inf)), max_size=6
)


@given(capacities=st.tuples(*(st.floats(0, 100) for _ in KEYS)), drawers=DRAWERS)
def test_nothing_is_given_that_is_not_there_and_nothing_is_left_that_is_wanted(
    capacities: tuple[float, ...], drawers: list[tuple[float, set[str], float]]
) -> None:
    keys = dict(zip(KEYS, capacities, strict=True))
    wanting = [
        drawer(str(number), weight, *sorted(names), wants_per_s=wants_per_s)
        for number, (weight, names, wants_per_s) in enumerate(drawers)
    ]
    got = share(keys, wanting)
    assert sum(got.values()) <= sum(capacities) + 1e-6
    assert all(got[each.name] <= each.wants_per_s + 1e-6 for each in wanting)
    hungry = [each for each in wanting if got[each.name] < each.wants_per_s - 1e-6]
    reachable = {key for each in hungry for key in each.keys}
    assert sum(got.values()) >= sum(keys[key] for key in reachable) - 1e-5
