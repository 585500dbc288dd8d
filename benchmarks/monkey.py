"""A monkey at the window: ``python -m benchmarks.monkey --events 100000 --seed 0 --json``.

Random events over every action of the window and every widget that can be seen: clicks, drags, wheel, keys, text, choices,
docks, sizes, themes, files good and bad dropped and chosen, the simulator killed. Each is written to ``--log`` before it is
done, so that after a crash ``--replay LOG`` does the same again. Nothing is written outside a temporary folder and nothing
opens outside (:mod:`benchmarks.monkey_cage`); what it may do is in :mod:`benchmarks.monkey_hands`. Now and then it quits,
and the window is opened anew. What a seed does hangs on what is on the screen, and so on the machine's pace; a log does not.

Prints one JSON object; the exit code is 0 where ``faults`` is empty:

====================  ==============================================================================================
events, lives         done; windows opened
minutes, cpu_minutes  of the run; processor time of all its processes that have ended, and of the window's
faults                Python exceptions, Qt's warnings, errors in the simulator, what a closed window left behind, a
                      window that does nothing at the end: kind, text, how often
rescued               drags and menus with an event loop of their own that were ended by Esc
memory_mb             of the window's process: at the start, after warming up, at the end
mb_per_1000_events    slope of a straight line through the memory after each 100th event, over the second half
mb_per_hour           the same for an hour of use at one event per second: 3.6 × mb_per_1000_events
mb_per_wall_hour      the same against the clock: many times faster than anybody's hands
slowest_event_ms      the longest that one event and the turn after it held the window
====================  ==============================================================================================
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import resource
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import psutil

from benchmarks.monkey_cage import Cage

if TYPE_CHECKING:
    from robot_app.window.listener import Notice
    from robot_app.window.main_window import MainWindow

SAMPLE_EVERY = 100
#: Seconds between an event and the next, at most: what runs beside the window has its turn, too.
PAUSE_S = 0.004
#: Seconds after a simulator was killed in which its absence is nobody's fault.
MOURNING_S = 30.0


class Monkey:
    """Args:
    cage: entered. seed: of what is done. log: every event goes there before it is done.
    """

    def __init__(self, cage: Cage, seed: int, log: IO[str]) -> None:
        from benchmarks.monkey_hands import Hands
        from robot_app.window.app import application

        self.cage, self._log = cage, log
        self.rng = random.Random(seed)
        self.app = application()
        self.hands = Hands(lambda: self.window, cage.baits, self._mourn)
        self._killed_at = -MOURNING_S
        self.n = self.lives = 0
        self.slowest_ms = 0.0
        self.memory: list[tuple[int, float, float]] = []
        cage.on_fault = lambda kind, text: self._write({"fault": kind, "text": text})
        # Windows and threads that were there before are others' affair.
        self._allowed = frozenset([*threading.enumerate(), *self.app.topLevelWidgets(), self.hands.rescuer])
        self._write({"monkey": 1, "seed": seed})
        self._open()

    # ------------------------------------------------------------------------------------------------ the window
    def _open(self) -> None:
        from robot_app.window.app import make_window

        self.window: MainWindow = make_window(policy="random", seed=self.lives, play=True)
        self.lives += 1
        bench = self.window.workbench
        bench.notice.connect(self._noticed)
        bench.drawing_failed.connect(
            lambda failed: self.cage.fault("drawing", f"{failed.message}\n{failed.traceback}")
        )
        self.window.panels["recording"].set_folder(self.cage.folder / "recordings")
        self.window.show()
        self.wait(
            lambda: bench.scene is not None and bench.history.last is not None, "the window did not begin"
        )

    def _noticed(self, notice: Notice) -> None:
        """An error with a traceback is a fault, however well the window takes it."""
        crash = "process ended" in notice.details
        if ("Traceback" in notice.details or crash) and time.monotonic() - self._killed_at > MOURNING_S:
            self.cage.fault("simulator", f"{notice.text}\n{notice.details}")

    def _mourn(self) -> None:
        self._killed_at = time.monotonic()

    def close(self) -> None:
        """Close the window, and see what it leaves."""
        from qtpy import sip

        from benchmarks.monkey_hands import turn

        window = self.window
        window.close()
        window.deleteLater()
        inside = [*window.panels.values(), window.palette_box, window.help, window.trouble_dialog, window]
        for _ in range(3):
            turn()
        for widget in inside:
            if not sip.isdeleted(widget):
                self.cage.fault("leftover", f"{type(widget).__module__}.{type(widget).__name__} is alive")
        del window, widget, inside, self.window  # what Python holds goes with them
        gc.collect()
        for what in self.cage.leftovers(self._allowed):
            self.cage.fault("leftover", what)

    def wait(self, condition: Any, otherwise: str, seconds: float = 60.0) -> None:
        """Let the window live until it holds; a fault if it never does."""
        from benchmarks.monkey_hands import turn

        until = time.monotonic() + seconds
        while not condition():
            turn()
            time.sleep(0.002)
            if time.monotonic() > until:
                self.cage.fault("dead", otherwise)
                return

    # ------------------------------------------------------------------------------------------------ playing
    def play(self, events: Iterable[dict[str, Any]]) -> None:
        """Do them; a window that was quit is opened anew."""
        self._sample()
        for event in events:
            self._write(event)
            self.cage.answer = self.cage.baits.get(event["answer"], "")
            began = time.perf_counter()
            try:
                self.hands.do(event)
            except Exception as error:
                sys.excepthook(type(error), error, error.__traceback__)
            if event["kind"] != "rest":
                self.slowest_ms = max(self.slowest_ms, 1e3 * (time.perf_counter() - began))
            if self.window.workbench.closed:  # nobody sees a minimised window either
                self.close()
                self._open()
            self.n += 1
            if self.n % SAMPLE_EVERY == 0:
                self._sample()
            time.sleep(PAUSE_S * ((self.n * 7) % 10) / 10)

    def thoughts(self, n: int, minutes: float) -> Iterator[dict[str, Any]]:
        """``n`` events, fewer where the time is over before."""
        until = time.monotonic() + 60 * minutes
        while self.n < n and time.monotonic() < until:
            yield self.hands.think(self.rng)

    def end(self) -> None:
        """The window still does what it is for; then it closes."""
        bench = self.window.workbench
        from robot_app.recipe import SceneRecipe

        recipe, seed = SceneRecipe("scratch_itch"), 2**30 + 1  # which nothing has asked for
        if not bench.runtime.alive:
            bench.restart_simulator()
        bench.load(recipe, "random", seed, True)
        history = lambda: bench.history if bench.history.seed == seed else None  # noqa: E731
        self.wait(lambda: history() and len(history()) > 2, "nothing moves at the end", 120.0)
        self.close()

    def _sample(self) -> None:
        gc.collect()
        self.memory.append((self.n, time.monotonic(), psutil.Process().memory_info().rss / 1e6))

    def _write(self, line: dict[str, Any]) -> None:
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()

    def report(self) -> dict[str, Any]:
        """What came of it, see the module."""
        n, at, mb = np.array(self.memory).T
        half = slice(len(n) // 2, None)
        enough = len(n[half]) >= 3
        per_event = float(np.polyfit(n[half], mb[half], 1)[0]) if enough else float("nan")
        per_second = float(np.polyfit(at[half] - at[0], mb[half], 1)[0]) if enough else float("nan")
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return {
            "benchmark": "monkey",
            "events": self.n,
            "lives": self.lives,
            "minutes": round((at[-1] - at[0]) / 60, 2),
            "cpu_minutes": round(sum(u.ru_utime + u.ru_stime for u in used) / 60, 2),
            "faults": [
                {"kind": kind, "times": times, "text": text}
                for (kind, text), times in self.cage.faults.items()
            ],
            "rescued": self.hands.rescued,
            "memory_mb": [round(float(mb[i])) for i in (0, len(mb) // 2, -1)],
            "mb_per_1000_events": round(1e3 * per_event, 3),
            "mb_per_hour": round(3.6e3 * per_event, 2),
            "mb_per_wall_hour": round(3.6e3 * per_second, 1),
            "slowest_event_ms": round(self.slowest_ms),
        }


def run(
    events: int, seed: int, log: Path, minutes: float = float("inf"), replay: Path | None = None
) -> dict[str, Any]:
    """A whole run; returns the report."""
    again = (
        []
        if replay is None
        else [json.loads(line) for line in replay.read_text(encoding="utf-8").splitlines()]
    )
    with open(log, "w", encoding="utf-8") as file, Cage() as cage:
        monkey = Monkey(cage, seed, file)
        try:
            done = (line for line in again if "kind" in line)
            monkey.play(done if replay is not None else monkey.thoughts(events, minutes))
            monkey.end()
        finally:
            monkey.hands.rescuer.stop()
            if hasattr(monkey, "window"):  # an error on the way
                monkey.window.close()
        return monkey.report()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monkey", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="stop after these, however few were done"
    )
    parser.add_argument(
        "--log", type=Path, default=Path("out/monkey.jsonl"), help="every event, before it is done"
    )
    parser.add_argument("--replay", type=Path, metavar="LOG", help="do what is in this log instead")
    parser.add_argument("--json", action="store_true", help="one JSON line instead of a table")
    options = parser.parse_args(arguments)
    if options.events < 1:
        parser.error("--events: 1 or more")
    if options.replay is not None and not options.replay.is_file():
        parser.error(f"--replay: {options.replay} is no file")
    if options.replay is not None and options.replay.resolve() == options.log.resolve():
        parser.error("--log: another file than --replay")
    options.log.parent.mkdir(parents=True, exist_ok=True)
    import faulthandler

    with open(options.log.with_suffix(".stack"), "w", encoding="utf-8") as stack:
        faulthandler.enable(stack)
        found = run(options.events, options.seed, options.log, options.minutes, options.replay)
        faulthandler.disable()
    if options.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:22s} {value}")
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    raise SystemExit(main())
