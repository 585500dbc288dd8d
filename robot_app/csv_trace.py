"""The trace of an episode: one CSV row per step, written as it happens.

Columns: ``t``, ``time_s``, ``session``, ``session_started``, ``reward``, ``return``, ``latent`` (a text), the numbers of
the scene's ``info``, ``value``, ``p_session_end``, ``z_mean_0`` …, ``z_std_0`` …, ``action_0`` ….
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from dynamite.acting import Frame
from robot_app.files import OutputError, WholeFile
from scenes.latent import LatentSpace

_SESSION_KEYS = ("session", "session_ended", "session_age")


class TraceWriter:
    """Args:
    path: of the CSV file.
    space: of the scene's latent.
    step_s: seconds per step.
    """

    def __init__(self, path: Path, space: LatentSpace, step_s: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file, self._row_text = WholeFile(path, "w"), io.StringIO(newline="")
        self._writer: csv.DictWriter | None = None
        self._space, self._step_s, self._return = space, step_s, 0.0

    def write(self, frame: Frame) -> None:
        self._return += frame.reward
        row = self._row(frame)
        if self._writer is None:  # the first frame says which columns there are
            self._writer = csv.DictWriter(self._row_text, list(row), extrasaction="ignore", restval="")
            self._writer.writeheader()
        self._writer.writerow(row)
        whole = self._file.tell()
        try:
            self._file.write(self._row_text.getvalue().encode())
        except OSError as error:
            self._file.truncate(whole)  # no torn row at the end
            raise OutputError(self._file.name, error.strerror) from None
        self._row_text.seek(0)
        self._row_text.truncate()

    def _row(self, frame: Frame) -> dict[str, object]:
        row: dict[str, object] = {
            "t": frame.t,
            "time_s": round(frame.t * self._step_s, 6),
            "session": frame.session,
            "session_started": int(frame.changed),
            "reward": frame.reward,
            "return": self._return,
            "latent": self._space.to_text(frame.latent),
        }
        for key, value in frame.info.items():
            if key not in _SESSION_KEYS and isinstance(value, (bool, int, float, np.number)):
                row[key] = int(value) if isinstance(value, bool) else value
        decision, belief = frame.decision, frame.decision.belief
        row["value"] = "" if decision.value is None else decision.value
        if belief is not None:
            row["p_session_end"] = "" if belief.p_session_end is None else belief.p_session_end
            row |= {f"z_mean_{i}": float(v) for i, v in enumerate(belief.mean)}
            row |= {f"z_std_{i}": float(v) for i, v in enumerate(np.exp(0.5 * belief.logvar))}
        row |= {f"action_{i}": float(v) for i, v in enumerate(np.ravel(decision.action))}
        return row

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> TraceWriter:
        return self

    def __exit__(self, *_) -> None:
        self.close()
