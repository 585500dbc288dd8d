"""Two policies in lock-step: the same preferences, session ends and events at every step; one may stop."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator

import numpy as np
import psutil
import pytest

from dynamite.acting import Decision, Frame
from robot_app.compare import Comparison, changes_of_both, difference
from robot_app.history import History
from robot_app.messages import Cursor, Loaded, Refused, Status, Step, Takes
from robot_app.recipe import SceneRecipe
from robot_app.runtime import Runtime
from robot_app.takes import TakeInfo, TakeRecord

ORACLE = "scripted/scratch_itch"
RECIPE = SceneRecipe("scratch_itch", {"fields": ["itch", "force"]}, termination=0.05)
pytestmark = pytest.mark.xdist_group("runtime")


class Pair:
    """What the window does with a comparison: it keeps the leader's histories, and passes everything on."""

    def __init__(self, leader: Runtime) -> None:
        self.leader = leader
        self.histories: dict[int, History] = {}
        self.takes: dict[int, TakeInfo] = {}
        self.current, self.cursor, self.state = 0, None, ""
        self.told: list = []
        self.both: Comparison | None = None

    def compare(self, policy: str) -> Comparison:
        take = self.takes[self.current]
        self.both = Comparison(
            self.leader, RECIPE, policy, take, lambda n: self.histories[n].frames, self.cursor
        )
        self.until(lambda: self.both.ready and self.at_b == self.at_a)
        return self.both

    @property
    def a(self) -> History:
        return self.histories[self.current]

    @property
    def b(self) -> History:
        return self.both.history

    @property
    def at_a(self) -> int:
        return -1 if self.a.last is None else self.a.last.t

    @property
    def at_b(self) -> int:
        return -1 if self.b.last is None else self.b.last.t

    def hear(self, message) -> None:
        if not self.told and not isinstance(message, Loaded):
            return  # of the test before
        self.told.append(message)
        if isinstance(message, Takes):
            self.takes, self.current = {take.number: take for take in message.takes}, message.current
            info = self.takes[message.current]
            if info.number not in self.histories:
                parent = self.histories.get(info.parent)
                made = History(info.number, info.seed)
                self.histories[info.number] = (
                    parent.branch(info.number, info.start) if parent is not None else made
                )
            self.cursor = None
        elif isinstance(message, Step):
            if self.both is not None and self.both.ready and not message.revised:
                assert self.both.history.last.t >= message.frame.t, "shown before both had it"
            self.histories[message.episode].add(message.frame)
        elif isinstance(message, Cursor):
            self.cursor = message.t
        elif isinstance(message, Status):
            self.state = message.state

    def until(self, enough: Callable[[], bool], turns: int = 1500) -> None:
        for _ in range(turns):
            if self.both is None:
                heard = self.leader.wait(0.02)
            else:
                heard = self.both.wait(0.02)
            for message in heard:
                self.hear(message)
            if enough():
                return
        raise AssertionError(f"it did not happen; heard {[type(m).__name__ for m in self.told[-20:]]}")

    def run_to(self, t: int) -> None:
        self.leader.play()
        self.until(lambda: self.at_a >= t)
        self.leader.pause()
        self.until(lambda: self.state != "playing" and self.at_b == self.at_a)


@pytest.fixture(scope="module")
def leader() -> Iterator[Runtime]:
    with Runtime() as runtime:
        runtime.set_loop(False)
        runtime.set_speed(float("inf"))
        yield runtime


@pytest.fixture
def pair(leader: Runtime) -> Iterator[Pair]:
    """The random policy leads, paused at step 0 of seed 4."""
    made = Pair(leader)
    leader.load(RECIPE, "random", 4)
    made.until(lambda: made.current and made.at_a == 0 and made.state == "paused")
    yield made
    if made.both is not None:
        made.both.close()
    leader.pause()


def same_world(a: History, b: History) -> None:
    """Preferences, sessions, their ends and what was done from outside agree at every step."""
    assert len(a) == len(b)
    for x, y in zip(a.frames, b.frames, strict=True):
        assert (x.t, x.latent, x.session, x.changed, x.events) == (
            y.t,
            y.latent,
            y.session,
            y.changed,
            y.events,
        )


def test_two_policies_meet_the_same_preferences_to_the_end(pair: Pair) -> None:
    pair.compare(ORACLE)
    pair.leader.play()
    pair.until(lambda: pair.state == "finished")
    same_world(pair.a, pair.b)
    assert pair.a.last.done
    assert pair.b.last.done
    assert len(pair.a.change_steps()) >= 3
    gap = difference(pair.a.returns(), pair.b.returns())
    assert len(gap) == 200
    assert gap[-1] == pair.a.returns()[-1] - pair.b.returns()[-1]
    assert gap[-1] < -10  # the oracle scratches, chance does not
    pair.leader.play()  # the next seed: both
    pair.until(lambda: pair.a.seed == 5 and pair.at_a >= 3)
    pair.leader.pause()
    pair.until(lambda: pair.state == "paused")
    assert pair.b.seed == 5
    same_world(pair.a, pair.b)


def test_an_edit_reaches_both_at_the_same_step(pair: Pair) -> None:
    pair.compare(ORACLE)
    pair.leader.play()
    pair.until(lambda: pair.at_a >= 20)
    pair.leader.override({"itch": "forearm@0.3", "force": 3.0})
    pair.leader.set_termination({"length": 7})
    pair.leader.set_kernel({"name": "drift", "scale": 0.1})
    pair.leader.override({"force": 1.0}, at_next_session=True)
    pair.until(lambda: pair.at_a >= 60)
    pair.leader.pause()
    pair.until(lambda: pair.state == "paused")
    edited = [frame.t for frame in pair.b.frames if frame.events]
    assert edited
    assert sum(len(frame.events) for frame in pair.b.frames) == 4
    assert edited == [frame.t for frame in pair.a.frames if frame.events]
    same_world(pair.a, pair.b)
    ends = [t for t in pair.b.change_steps() if t > max(edited)]
    assert {second - first for first, second in itertools.pairwise(ends)} == {7}


def test_it_may_begin_in_the_middle_and_goes_where_the_leader_goes(pair: Pair) -> None:
    pair.leader.override({"force": 4.0})
    pair.leader.play()
    pair.until(lambda: pair.at_a >= 30)
    pair.leader.pause()
    pair.until(lambda: pair.state == "paused")
    pair.leader.seek(10)
    pair.until(lambda: pair.cursor == 10)
    both = pair.compare(ORACLE)
    same_world(pair.a, pair.b)  # it lived the past, too
    assert both.shown.t == 10
    first, past = pair.current, list(pair.b.frames)
    pair.leader.override({"force": 2.0})  # in the past: a branch, for both
    pair.until(lambda: pair.current != first and pair.at_b == pair.at_a == 10)
    pair.run_to(25)
    same_world(pair.a, pair.b)
    assert pair.b.frames[10].events[-1].value["force"] == 2.0
    assert pair.b.frames[9].reward == past[9].reward
    pair.leader.take(first)
    pair.until(lambda: pair.current == first)
    assert [frame.reward for frame in pair.b.frames] == [frame.reward for frame in past]
    pair.leader.step()
    pair.until(lambda: pair.at_a == len(past))
    same_world(pair.a, pair.b)


@pytest.mark.slow
def test_the_follower_acts_as_it_would_alone(pair: Pair) -> None:
    pair.compare(ORACLE)
    pair.run_to(40)
    together = [frame.reward for frame in pair.b.frames]
    pair.both.close()
    pair.both = None
    pair.leader.load(RECIPE, ORACLE, 4)
    before = pair.current
    pair.until(lambda: pair.current != before and pair.at_a == 0)
    pair.leader.play()
    pair.until(lambda: pair.at_a >= len(together))
    assert [frame.reward for frame in pair.a.frames[: len(together)]] == together


def test_closing_ends_the_process_and_the_leader_goes_on(pair: Pair) -> None:
    both = pair.compare(ORACLE)
    pid = both.follower.pid
    pair.leader.play()
    pair.until(lambda: pair.at_a >= 5)
    for message in both.close():
        pair.hear(message)
    pair.both = None
    assert not psutil.pid_exists(pid)
    here = pair.at_a
    pair.until(lambda: pair.at_a >= here + 10)
    assert both.close() == []


@pytest.mark.slow
def test_when_the_follower_dies_the_leader_goes_on_and_why_is_said(pair: Pair) -> None:
    both = pair.compare(ORACLE)
    pair.leader.play()
    pair.until(lambda: pair.at_a >= 5)
    os.kill(both.follower.pid, signal.SIGKILL)
    pair.until(lambda: bool(both.ended))
    assert "stopped unexpectedly" in both.ended
    here = pair.at_a
    pair.until(lambda: pair.at_a >= here + 10)


@pytest.mark.slow
def test_when_the_leader_dies_it_is_found_again(pair: Pair) -> None:
    pair.compare(ORACLE)
    pair.run_to(12)
    os.kill(pair.leader.pid, signal.SIGKILL)
    pair.until(lambda: not pair.leader.alive)
    pair.leader.restart()
    pair.leader.set_speed(float("inf"))
    record = TakeRecord(pair.takes[pair.current], tuple(pair.a.frames))
    pair.leader.restore(RECIPE, "random", [record], pair.current)
    heard = len(pair.told)
    pair.until(lambda: any(isinstance(m, Status) for m in pair.told[heard:]))
    pair.run_to(24)
    same_world(pair.a, pair.b)


@pytest.mark.slow
def test_a_policy_that_does_not_fit_is_refused(pair: Pair) -> None:
    take = pair.takes[pair.current]
    pair.both = Comparison(pair.leader, RECIPE, "nobody", take, lambda n: pair.histories[n].frames)
    pair.until(lambda: bool(pair.both.ended))
    assert "nobody" in pair.both.ended
    pair.leader.step()
    pair.until(lambda: pair.at_a == 1)
    assert not any(isinstance(m, Refused) for m in pair.told)


def lived(rewards: list[float], session: int) -> History:
    """A history with these rewards, its preference changing every ``session`` steps."""
    history = History()
    for t, reward in enumerate([0.0, *rewards]):
        changed, decision = t % session == 0, Decision(np.zeros(1))
        history.add(Frame(t, np.zeros(1), reward, decision, {}, t // session, changed, (), {}))
    return history


def test_adapting_is_told_per_change_for_both() -> None:
    quick = [1.0] * 30 + [0.0] * 5 + [1.0] * 25
    slow = [1.0] * 30 + [0.0] * 15 + [1.0] * 5  # ten steps behind in telling, and not adapted yet
    a, b = lived(quick, 30), lived(slow, 30)
    a.oracle_rewards = np.ones(60)
    (change,) = [c for c in changes_of_both(a, b) if c.t == 30]
    assert change.adapted_a == 14  # nine of the ten steps before earn all
    assert change.adapted_b is None
    assert changes_of_both(b, a)[0].adapted_b == 14
    assert difference(a.returns(), b.returns()).tolist() == [
        *[0.0] * 35, *np.arange(1.0, 11.0), *[10.0] * 5
    ]  # fmt: skip
