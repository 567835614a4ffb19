"""Equal fingerprints mean the same account."""

from jobs import fingerprints


def test_order_and_repetition_do_not_matter() -> None:
    assert fingerprints.of_pets([(1, 10), (2, 20)]) == fingerprints.of_pets([(2, 20), (1, 10), (1, 10)])
    assert fingerprints.of_mounts(range(100)) == fingerprints.of_mounts(reversed(range(100)))


def test_one_more_pet_or_mount_is_another_fingerprint() -> None:
    assert fingerprints.of_pets([(1, 10)]) != fingerprints.of_pets([(1, 10), (2, 20)])
    assert fingerprints.of_mounts(range(100)) != fingerprints.of_mounts(range(101))


def test_nothing_and_few_mounts_prove_no_account() -> None:
    assert fingerprints.of_pets([]) is None
    assert fingerprints.of_mounts(range(fingerprints.MIN_MOUNTS - 1)) is None


def test_values_are_stable_for_ever() -> None:
    # They are stored: another value would tear every account apart until all its characters are read again.
    assert fingerprints.of_pets([(60495465, 175), (60495466, 202)]) == "fca518d8de4b2839"
    assert fingerprints.of_mounts(range(6, 46)) == "373bdb57e6a71982"
