"""The reference gives way to what somebody waits to see."""

from __future__ import annotations

import math

from policies import load
from robot_app import reference as module
from robot_app.reference import REST_S, Reference
from robot_app.session_rules import SessionRules
from scenes import make_scene


def test_it_rests_whenever_the_episode_begins_anew_and_then_plays_it_to_the_end(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    scene = make_scene("gridworld")
    reference = Reference(scene, load("pretrained/dynamite", scene))
    assert reference.due_s == math.inf  # nothing to play yet
    reference.restart(3, SessionRules.of(scene), ())
    assert reference.due_s == REST_S
    now[0] = REST_S
    assert reference.due_s <= 0
    now[0] = 0.0
    reference.restart(3, SessionRules.of(scene), ())  # an edit: from the start, and a rest again
    assert reference.due_s == REST_S
    monkeypatch.undo()
    reference.advance(60.0)
    assert reference.complete
    assert len(reference.rewards) == scene.episode_length
    assert reference.due_s == math.inf
    scene.close()
