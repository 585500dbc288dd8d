"""Whoever sends through an outbox never waits for whoever reads."""

from __future__ import annotations

import multiprocessing
import threading

from robot_app.outbox import Outbox


def test_many_more_messages_than_a_pipe_holds_are_sent_at_once_and_arrive_in_order() -> None:
    ours, theirs = multiprocessing.Pipe()
    outbox = Outbox(ours)
    said = {"n": 0}
    for n in range(5000):  # nobody reads yet: a pipe holds some 300 of these
        said["n"] = n
        outbox.send(("seek", said))
    outbox.send(("model", bytes(3_000_000)))
    assert [theirs.recv()[1]["n"] for _ in range(5000)] == list(range(5000))  # as each was when it was sent
    assert len(theirs.recv()[1]) == 3_000_000
    outbox.close()
    ours.close()
    theirs.close()


def test_an_outbox_to_a_process_that_is_gone_ends_with_what_it_holds() -> None:
    before = set(threading.enumerate())
    ours, theirs = multiprocessing.Pipe()
    outbox = Outbox(ours)
    for n in range(5000):
        outbox.send(n)
    assert set(threading.enumerate()) - before
    theirs.close()
    outbox.close()
    assert set(threading.enumerate()) == before
    outbox.send("too late")  # told by whoever receives, not here
    ours.close()
