"""What drills choose and count, without playing one; that each is played in CI."""

from scripts.cli.develop.drills.catalogue import DRILLS
from scripts.lab.drills.base import Size
from scripts.lab.drills.kept import Kept
from scripts.lab.drills.killed import moments
from scripts.lab.drills.stage import Stage
from tests.rehearsal.test_drills import PLAYED
from tests.rehearsal.test_drills_whole import PLAYED as WHOLE_PLAYED


def test_every_drill_is_played() -> None:
    whole = {name for name, _, _, _ in WHOLE_PLAYED} | {"cluster-gone"}
    assert {drill.name for drill in DRILLS} == PLAYED.keys() | whole | {"answer-lost"}


def test_at_least_fifty_moments_are_chosen_by_the_seed_alone() -> None:
    writes = dict.fromkeys(("address", "acr", "disks", "database"), 9)

    class Deployed(Stage):
        def __init__(self) -> None:
            self.stacks, self.writes = tuple(writes), writes

    chosen = [moments(Deployed(), Size(seed=seed)) for seed in (1, 1, 2)]
    assert [len(set(found)) for found in chosen] == [50, 50, 50]
    assert chosen[0] == chosen[1] != chosen[2]


def test_some_forms_are_chosen_by_the_seed_alone_and_keep_their_order() -> None:
    forms = ["a", "b", "c", "d", "e"]
    assert Size().some(forms) == Size(forms=5).some(forms) == Size(forms=9).some(forms) == forms
    chosen = [Size(forms=3, seed=seed).some(forms) for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert all(sorted(found) == found and len(found) == 3 for found in chosen)


def test_lost_disks_and_secrets_are_counted_in_bytes() -> None:
    before = Kept({"disk": ("/d", 1, 2**30), "share": ("/s", 1, 5)}, frozenset({("vault", "key", "a")}))
    assert before.lost(before) == ([], 0)
    now = Kept({"disk": ("/d", 2, 2**30), "share": ("/s", 1, 5)}, frozenset({("vault", "key", "b")}))
    assert before.lost(now) == (["disk", "secret key of vault"], 2**30)
    assert before.bytes == 2**30 + 5
