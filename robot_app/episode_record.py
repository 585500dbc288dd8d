"""The record: one Frame as a fixed number of bytes, so that a recording can be cut off anywhere and still be read.

Layouts describe themselves (name, numpy type, shape per entry); a frame that does not fit the current layout starts a
new one, see :mod:`robot_app.episode`. What may be absent from one step to the next (a force, a value) is NaN.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamite.acting import Decision, Event, Frame
from dynamite.belief import Belief, ChoicePosterior, FieldPosterior, PointPosterior, ScalarPosterior
from scenes.errors import InputError
from scenes.latent import Latent, LatentSpace, PointField, SurfacePoint
from scenes.visual import Markers

Columns = dict[str, np.ndarray]
_MARKERS = ("itch", "itch_normal", "tool_tip", "force_at", "force")
_NOWHERE = np.full(3, np.nan)


def digest(state_hash: str) -> np.ndarray:
    """(32,) uint8: SHA-256 of a scene's ``state_hash()``, whatever text that is."""
    return np.frombuffer(hashlib.sha256(state_hash.encode()).digest(), np.uint8)


def columns_of(frame: Frame, state_hash: str) -> Columns:
    """The numbers of a frame by name; what is not a number (latent, events, info) is written as text elsewhere."""
    columns: dict[str, Any] = {
        "t": np.int64(frame.t),
        "session": np.int64(frame.session),
        "changed": np.bool_(frame.changed),
        "done": np.bool_(frame.done),
        "observation": frame.observation,
        "reward": np.float64(frame.reward),
        "action": frame.decision.action,
        "value": _or_nan(frame.decision.value),
        "state_hash": digest(state_hash),
    }
    belief = frame.decision.belief
    if belief is not None:
        columns["belief.mean"], columns["belief.logvar"] = belief.mean, belief.logvar
        columns["belief.p_session_end"] = _or_nan(belief.p_session_end)
        for name, posterior in belief.fields.items():
            columns |= {f"belief.{name}.{key}": value for key, value in _pack(posterior).items()}
    if frame.poses is not None:
        columns["poses"] = frame.poses
    if frame.markers is not None:
        for name in _MARKERS:
            value = getattr(frame.markers, name)
            columns[f"markers.{name}"] = _NOWHERE if value is None else np.asarray(value, np.float64)
        columns |= {f"markers.extra.{name}": value for name, value in frame.markers.extra.items()}
    return {name: np.asarray(value) for name, value in columns.items()}


def frame_of(row: Columns, latent: Latent, events: tuple[Event, ...], info: dict[str, Any]) -> Frame:
    """Inverse of :func:`columns_of`."""
    return Frame(
        t=int(row["t"]),
        observation=row["observation"],
        reward=float(row["reward"]),
        decision=Decision(row["action"], _belief(row, tuple(latent)), _or_none(row["value"])),
        latent=latent,
        session=int(row["session"]),
        changed=bool(row["changed"]),
        events=events,
        info=info,
        poses=row.get("poses"),
        markers=_markers(row),
        done=bool(row["done"]),
    )


def _pack(posterior: FieldPosterior) -> Columns:
    if isinstance(posterior, PointPosterior):
        return {"grid": np.asarray(posterior.grid, np.float16)}  # for drawing: half precision will do
    if isinstance(posterior, ChoicePosterior):
        return {"probabilities": posterior.probabilities}
    return {"mean": np.asarray(posterior.mean, np.float64), "std": np.asarray(posterior.std, np.float64)}


def _belief(row: Columns, order: tuple[str, ...]) -> Belief | None:
    if "belief.mean" not in row:
        return None
    fields: dict[str, FieldPosterior] = {}
    for key, value in row.items():
        parts = key.split(".")
        if len(parts) != 3 or parts[0] != "belief":
            continue
        name, entry = parts[1], parts[2]
        if entry == "grid":
            fields[name] = PointPosterior(value.astype(np.float32))
        elif entry == "probabilities":
            fields[name] = ChoicePosterior(value)
        elif entry == "mean":
            fields[name] = ScalarPosterior(float(value), float(row[f"belief.{name}.std"]))
    ordered = {name: fields[name] for name in (*order, *fields) if name in fields}  # the files keep no order
    return Belief(row["belief.mean"], row["belief.logvar"], _or_none(row["belief.p_session_end"]), ordered)


def _markers(row: Columns) -> Markers | None:
    if "markers.itch" not in row:
        return None
    named = {name: row[f"markers.{name}"] for name in _MARKERS}
    extra = {k.removeprefix("markers.extra."): v for k, v in row.items() if k.startswith("markers.extra.")}
    return Markers(**{k: None if np.isnan(v).all() else v for k, v in named.items()}, extra=extra)


def _or_nan(value: float | None) -> np.float64:
    return np.float64(np.nan if value is None else value)


def _or_none(value: np.ndarray) -> float | None:
    return None if np.isnan(value) else float(value)


@dataclass(frozen=True)
class Layout:
    """What a record consists of: (name, numpy type, shape) per entry, in order, and a CRC-32 at its end."""

    entries: tuple[tuple[str, str, tuple[int, ...]], ...]

    @staticmethod
    def of(columns: Columns) -> Layout:
        return Layout(tuple((name, value.dtype.str, value.shape) for name, value in columns.items()))

    @property
    def dtype(self) -> np.dtype:
        return np.dtype([*self.entries, ("crc32", "<u4")])

    def pack(self, columns: Columns) -> bytes:
        record = np.zeros((), self.dtype)
        for name, value in columns.items():
            record[name] = value
        body = record.tobytes()[:-4]
        return body + zlib.crc32(body).to_bytes(4, "little")

    def unpack(self, data: bytes) -> Columns:
        """(N, …) arrays by name, of the whole records at the start of ``data``: a torn or damaged one ends them."""
        size = self.dtype.itemsize
        n = 0
        while (n + 1) * size <= len(data):
            record = data[n * size : (n + 1) * size]
            if zlib.crc32(record[:-4]) != int.from_bytes(record[-4:], "little"):
                break
            n += 1
        records = np.frombuffer(data[: n * size], self.dtype)
        return {name: np.ascontiguousarray(records[name]) for name, _, _ in self.entries}

    def to_json(self) -> list[Any]:
        return [[name, kind, list(shape)] for name, kind, shape in self.entries]

    @staticmethod
    def from_json(values: Any, where: str) -> Layout:
        try:
            layout = Layout(tuple((str(name), str(kind), tuple(shape)) for name, kind, shape in values))
            if layout.dtype.hasobject:
                raise TypeError
        except (TypeError, ValueError):
            raise InputError(where, "no record layout", "a list of [name, type, shape]") from None
        return layout


def latent_of_json(space: LatentSpace, value: Any) -> Latent:
    """Inverse of ``space.to_json``, to the last bit (validation wraps angles, and so may round them)."""
    return {
        field.name: SurfacePoint(**value[field.name]) if isinstance(field, PointField) else value[field.name]
        for field in space.fields
    }


def plain(value: Any) -> Any:
    """``value`` as JSON holds it: numpy numbers, arrays and surface points unwrapped."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, SurfacePoint):
        return value.to_dict()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value
