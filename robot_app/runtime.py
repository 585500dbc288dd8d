"""Runtime: scene and policy in a process of their own, steered by calls and heard through messages.

    with Runtime() as runtime:
        runtime.load(SceneRecipe("scratch_itch"), "scripted/scratch_itch", seed=0)
        runtime.play()
        for message in runtime.wait(1.0): ...

Every per-step Frame arrives, in order, in :meth:`Runtime.poll`; poses are in ``runtime.frames``, newest only. No call here
waits for the simulator, except :meth:`Runtime.wait` and :meth:`Runtime.close`. No Qt.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

from robot_app.messages import Crashed, Message
from robot_app.outbox import Outbox
from robot_app.recipe import SceneRecipe
from robot_app.shared_frames import SharedFrames
from robot_app.takes import TakeRecord

#: Simulated seconds per second; the last is as fast as the machine allows.
SPEEDS: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0, float("inf"))


def _serve(role: str, connection: Connection, frames: str, errors: str) -> None:
    from robot_app.lock_step import serve_role  # here, so that the window need not import what simulates

    serve_role(role, connection, frames, errors)


class Runtime:
    """Starts the process at once; it imports while the caller goes on.

    Class attributes:
        ROLE: of the simulator, see :func:`robot_app.lock_step.serve_role`.
        PATIENCE_S: how long it may take to end by itself.
    """

    ROLE: ClassVar[str] = "leader"
    PATIENCE_S: ClassVar[float] = 3.0

    def __init__(self) -> None:
        self.frames = SharedFrames()
        self._paired = False
        descriptor, self._errors = tempfile.mkstemp(prefix="robot-app-simulator-", suffix=".log")
        os.close(descriptor)
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process: Any = context.Process(
            target=_serve,
            args=(self.ROLE, theirs, self.frames.name, self._errors),
            name="simulator",
            daemon=True,
        )
        self._process.start()
        theirs.close()
        self._outbox = Outbox(self._connection)
        self._crash: Crashed | None = None
        if self._paired:
            self.pair(True)

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def alive(self) -> bool:
        return self._crash is None and self._process is not None and self._process.is_alive()

    def fileno(self) -> int:
        """Becomes readable when there is something to :meth:`poll`."""
        return self._connection.fileno()

    # ------------------------------------------------------------------------------------------------ commands
    def load(self, recipe: SceneRecipe, policy: str, seed: int = 0, play: bool = False) -> None:
        """Another scene; answered by Loaded or Refused (then the old one goes on)."""
        self._send("load", recipe=recipe, policy=policy, seed=seed, play=play)

    def set_policy(self, policy: str, at_next_episode: bool = False) -> None:
        """Another policy in the same scene, by name or checkpoint folder."""
        self._send("policy", policy=policy, at_next_episode=at_next_episode)

    def play(self) -> None:
        """Go on; from a finished episode, to the next."""
        self._send("play")

    def pause(self) -> None:
        self._send("pause")

    def step(self) -> None:
        """Pause, and take one step."""
        self._send("step")

    def set_speed(self, speed: float) -> None:
        """One of SPEEDS."""
        self._send("speed", speed=speed)

    def set_loop(self, loop: bool) -> None:
        """Whether a finished episode is followed by the next seed's."""
        self._send("loop", loop=loop)

    def reset(self, seed: int) -> None:
        """Start the episode over with ``seed``."""
        self._send("reset", seed=seed)

    def override(self, fields: Any, at_next_session: bool = False) -> None:
        """Change the hidden preference, now or when the session ends; JSON-plain fields, the others stay."""
        self._send("edit", kind="override_next" if at_next_session else "override", value=fields)

    def set_termination(self, value: float | dict[str, Any]) -> None:
        """A probability per step, ``{"length": steps}``, or ``{"schedule": [{"step", "latent"}, …]}``."""
        self._send("edit", kind="termination", value=value)

    def set_kernel(self, value: str | dict[str, Any]) -> None:
        """What the next preference is when a session ends, from now on: a name, or ``{"name": "drift", "scale": 0.1}``."""
        self._send("edit", kind="kernel", value=value)

    def seek(self, t: int) -> None:
        """Pause, and show step ``t`` as it was. Play shows what followed and then goes on; an edit there branches."""
        self._send("seek", t=t)

    def live(self) -> None:
        """Pause, and show the newest step."""
        self._send("live")

    def branch(self, t: int, *edits: tuple[str, Any]) -> None:
        """Go on from step ``t`` in a new take, with ``(kind, value)`` events there; answered by Takes or Refused."""
        self._send("branch", t=t, edits=edits)

    def take(self, number: int) -> None:
        """Back to another take; answered by Takes or Refused."""
        self._send("take", number=number)

    def revisit(self, folder: Path | str) -> None:
        """A recorded episode with its whole past, at its start; answered by Loaded, every Step, Replayed, or by Refused."""
        self._send("revisit", folder=str(folder))

    def verify(self) -> None:
        """Run the present take again and compare every step; answered by Replayed."""
        self._send("verify")

    def pair(self, on: bool) -> None:
        """Whether each new step is to wait, unseen, until it is said to be :meth:`shown`; also after a restart."""
        self._paired = on
        self._send("pair", on=on)

    def shown(self, episode: int, t: int) -> None:
        """Step ``t`` may be seen, and the next one taken."""
        self._send("shown", episode=episode, t=t)

    def save_episode(self, folder: Path | str) -> None:
        """Write the episode from its start to now; answered by Recorded or Refused."""
        self._send("save_episode", folder=str(folder))

    def _send(self, name: str, /, **arguments: Any) -> None:
        if self._crash is None:  # a dead process is found by poll, which also says why
            self._outbox.send((name, arguments))

    # ------------------------------------------------------------------------------------------------ messages
    def poll(self, limit: int = 10_000) -> list[Message]:
        """Everything that has arrived, without waiting. A crash is told once."""
        found: list[Message] = []
        if self._crash is not None:
            return found
        try:
            while len(found) < limit and self._connection.poll():
                found.extend(self._connection.recv())
        except (EOFError, ConnectionResetError, OSError):
            self._process.join(2.0)
            self._crash = Crashed(self._process.exitcode, self._report())
            found.append(self._crash)
        return found

    def wait(self, seconds: float) -> list[Message]:
        """Messages as soon as there are any, or none after ``seconds``."""
        if self._crash is None:
            self._connection.poll(seconds)
        return self.poll()

    def wait_for(self, kind: type, seconds: float = 20.0) -> list[Message]:
        """All messages until one of ``kind``, and what arrived along with it (for scripts and tests).

        Raises:
            TimeoutError: it did not come; the message says what did.
        """
        found: list[Message] = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found += self.wait(0.1)
            if any(isinstance(message, kind) for message in found):
                return found
        raise TimeoutError(
            f"no {kind.__name__} within {seconds:g} s; heard {[type(m).__name__ for m in found]}"
        )

    def _report(self) -> str:
        code = self._process.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        try:
            text = Path(self._errors).read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        return f"The simulator's process ended ({how}).\n{text[-6000:]}".rstrip()

    # ------------------------------------------------------------------------------------------------ life
    def restart(self) -> None:
        """A fresh process after a crash; load a scene or restore takes next."""
        self._end_process()
        Path(self._errors).write_text("", encoding="utf-8")
        self._start()

    def restore(
        self, recipe: SceneRecipe, policy: str, takes: Sequence[TakeRecord], current: int, play: bool = False
    ) -> None:
        """In a fresh process: the takes that the last one told of, the present one run again to its newest step.

        Answered by Loaded and Takes, or by Refused where the episode did not repeat itself.
        """
        self._send("restore", recipe=recipe, policy=policy, takes=tuple(takes), current=current, play=play)

    def close(self) -> None:
        """End the process, whatever it is doing; safe to call twice."""
        self._end_process()
        self.frames.close()
        Path(self._errors).unlink(missing_ok=True)

    def _end_process(self) -> None:
        if self._process is None:
            return
        self._outbox.send(("close", {}))
        # It may be blocked telling us something: hear it out, so that it gets to the close.
        until = time.monotonic() + self.PATIENCE_S
        while self._process.is_alive() and time.monotonic() < until:
            try:
                if self._connection.poll(0.05):
                    self._connection.recv()
            except (EOFError, OSError):
                self._process.join(0.5)
                break
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._outbox.close()
        self._connection.close()
        self._process.close()
        self._process = None
