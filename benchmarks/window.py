"""How the window feels while a training runs beside it: ``python -m benchmarks.window --json``.

Opens the real window without a screen, its view at 1280×720, with a belief policy in real time and a real training in its
own process, and measures for some seconds:

=====================  =============================================================================================
window_up_s            from the call to a shown window, imports of the window included
first_frame_s          from the shown window to the first moving picture
tick_ms p50, p95, p99  time between two turns of the window's event loop, asked for every 10 ms, less those 10 ms
tick_cpu_p99_ms        processor time of one turn: what the window itself asks for, however busy the machine
window_cpu_share       processor time of the window's thread, 1 is one core
view_fps               pictures put on the screen per second
drawn_share            size of those pictures against the view's, along one side (1: every pixel; they shrink to keep up)
edit_visible_ms        from an edit to the picture that shows it, median of twelve; edit_visible_max_ms: the slowest
presenter              in presenter mode: tick p50, p95, p99 and pictures per second
compared               with a second policy, its simulator and its picture beside it in the same room: as presenter
=====================  =============================================================================================
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TICK_MS = 10


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.window", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON line instead of a table")
    parser.add_argument("--seconds", type=float, default=15.0, help="of the measurement")
    parser.add_argument("--policy", help="default: an untrained belief agent, which costs the same per step")
    parser.add_argument("--no-training", action="store_true", help="without a training beside it")
    parser.add_argument("--size", default="1280x720", help="of the view")
    options = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["ROBOT_APP_SETTINGS"] = str(Path(scratch) / "settings.ini")
        found = measure(options, Path(scratch))
    if options.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:22s} {value}")
    return 0


def measure(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Do it all once."""
    policy = options.policy or _untrained(scratch / "agent")
    training = None if options.no_training else _start_training(scratch / "run")
    try:
        return _measure(options, policy)
    finally:
        if training is not None:
            training.kill()


def _untrained(folder: Path) -> str:
    """A checkpoint of an agent as it is before training, made in a process of its own so that no import is warm."""
    import subprocess

    code = (
        "import sys; from dynamite.agent import Agent; from dynamite.checkpoint import save_checkpoint;"
        "from dynamite.spec import SceneSpec; from dynamite.variants import configure; from scenes import make_scene;"
        "agent = Agent(SceneSpec.of(make_scene('scratch_itch')), configure('scratch_itch', 'dynamite'));"
        "from pathlib import Path; save_checkpoint(Path(sys.argv[1]), agent)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
    return str(folder)


def _start_training(folder: Path):
    """A real training, collecting and learning."""
    from robot_app.training_runs import TrainingRun, Wish

    run = TrainingRun.start(
        folder, Wish("scratch_itch", "dynamite", overrides=(("train.workers", 0), ("train.copies", 8)))
    )
    until = time.monotonic() + 120
    while not run.read() and run.running and time.monotonic() < until:
        time.sleep(0.1)
    return run


def _measure(options: argparse.Namespace, policy: str) -> dict[str, Any]:
    began = time.perf_counter()
    from qtpy.QtCore import Qt, QTimer

    from robot_app.window.app import application, make_window

    app = application()
    window = make_window(policy=policy, seed=3, play=True)
    width, height = (int(n) for n in options.size.split("x"))
    window.viewport.setFixedSize(width, height)
    window.show()
    app.processEvents()
    up = time.perf_counter()
    bench, view = window.workbench, window.viewport

    def live(seconds: float, done=lambda: False) -> None:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until and not done():
            busy = time.thread_time()
            app.processEvents()
            costs.append(1e3 * (time.thread_time() - busy))
            time.sleep(0.0005)

    costs: list[float] = []
    live(60.0, lambda: view.n_shown >= 2 and bench.status.state == "playing")
    first = time.perf_counter()
    live(2.0)

    def felt(seconds: float) -> dict[str, float]:
        """How lively the window is for some seconds."""
        ticks: list[float] = []
        last = time.perf_counter()

        def tick() -> None:
            nonlocal last
            now = time.perf_counter()
            ticks.append(1e3 * (now - last) - TICK_MS)
            last = now

        timer = QTimer(interval=TICK_MS, timerType=Qt.PreciseTimer)
        timer.timeout.connect(tick)
        n, start = view.n_shown, time.perf_counter()
        timer.start()
        live(seconds)
        timer.stop()
        return {
            **{f"tick_p{share}_ms": percentile(ticks, share / 100) for share in (50, 95, 99)},
            "fps": round((view.n_shown - n) / (time.perf_counter() - start), 1),
        }

    shares: list[float] = []
    bench.picture.connect(lambda note: shares.append(note.width / bench.view.size()[0]))
    costs.clear()
    alone = felt(options.seconds)
    spent, drawn_share = sorted(costs), sum(shares) / max(1, len(shares))

    bench.reset(4)  # an episode that does not end meanwhile
    live(1.0)
    delays = []
    for i in range(12):
        edits, at = view.shown.edits, time.perf_counter()
        bench.edit({"itch": {"part": ("forearm", "upper_arm")[i % 2], "axial": 0.5, "angle": 0.0}})
        live(5.0, lambda edits=edits: view.shown.edits > edits)
        delays.append(1e3 * (time.perf_counter() - at))
        live(0.15)

    window.actions_by_id["view.presenter"].trigger()
    live(1.0)
    presenter = felt(options.seconds / 3)
    window.actions_by_id["view.presenter"].trigger()
    comparing = window.panels["compare"]
    for each in (view, comparing.view):  # side by side in the room of one
        each.setFixedSize(width // 2, height)
    comparing.set_comparing(True)
    live(60.0, lambda: comparing.comparing.comparison.ready and comparing.view.n_shown >= 2)
    live(1.0)
    n, start = comparing.view.n_shown, time.perf_counter()
    compared = felt(options.seconds / 3)
    compared["second_fps"] = round((comparing.view.n_shown - n) / (time.perf_counter() - start), 1)
    window.close()

    return {
        "benchmark": "window",
        "view": options.size,
        "training_beside": not options.no_training,
        "window_up_s": round(up - began, 2),
        "first_frame_s": round(first - up, 2),
        **{name: value for name, value in alone.items() if name != "fps"},
        "tick_cpu_p99_ms": round(spent[int(0.99 * len(spent))], 1),
        "window_cpu_share": round(sum(spent) / 1e3 / options.seconds, 2),
        "view_fps": alone["fps"],
        "drawn_share": round(drawn_share, 2),
        "edit_visible_ms": round(sorted(delays)[len(delays) // 2], 1),
        "edit_visible_max_ms": round(max(delays), 1),
        "presenter": presenter,
        "compared": compared,
        "load_1m": round(os.getloadavg()[0], 1),
    }


def percentile(values: list[float], share: float) -> float:
    """Of milliseconds, 0 at least."""
    ordered = sorted(values)
    return round(max(0.0, ordered[min(len(ordered) - 1, int(share * len(ordered)))]), 1)


if __name__ == "__main__":
    raise SystemExit(main())
