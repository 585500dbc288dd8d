"""What the window remembers between starts: layout, theme, camera, folders. One place knows the keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from qtpy.QtCore import QByteArray, QSettings

#: Set to a file to keep the settings there (tests, kiosks) instead of the user's own.
SETTINGS_VARIABLE = "ROBOT_APP_SETTINGS"
#: Raised when panels are renamed: an old layout would put them in odd places.
LAYOUT_VERSION = 2


class Settings:
    """Typed access to QSettings."""

    def __init__(self) -> None:
        path = os.environ.get(SETTINGS_VARIABLE)
        self._store = QSettings(path, QSettings.IniFormat) if path else QSettings("robot-app", "robot-app")

    def layout(self) -> tuple[QByteArray, QByteArray] | None:
        """Geometry and dock state, as they were left."""
        geometry, state = self._store.value("window/geometry"), self._store.value("window/state")
        return (geometry, state) if geometry is not None and state is not None else None

    def set_layout(self, geometry: QByteArray, state: QByteArray) -> None:
        self._store.setValue("window/geometry", geometry)
        self._store.setValue("window/state", state)

    @property
    def theme(self) -> str:
        value = str(self._store.value("window/theme", "dark"))
        return value if value in ("dark", "light") else "dark"

    @theme.setter
    def theme(self, name: str) -> None:
        self._store.setValue("window/theme", name)

    def flag(self, name: str, default: bool) -> bool:
        """A toggle, such as ``view/heat``."""
        return str(self._store.value(name, default)).lower() in ("true", "1")

    def set_flag(self, name: str, value: bool) -> None:
        self._store.setValue(name, bool(value))

    def camera(self, scene: str) -> dict[str, float] | None:
        """Where the eye stood in that scene."""
        text = self._store.value(f"camera/{scene}")
        try:
            values = [float(part) for part in str(text).split()]
        except ValueError:
            return None
        keys = ("x", "y", "z", "distance", "azimuth", "elevation", "fov")
        return dict(zip(keys, values, strict=True)) if len(values) == len(keys) else None

    def set_camera(self, scene: str, values: list[float]) -> None:
        self._store.setValue(f"camera/{scene}", " ".join(f"{value:.6g}" for value in values))

    def folder(self, name: str, default: Path) -> Path:
        """Where to put recordings, where to keep runs."""
        return Path(str(self._store.value(f"folder/{name}", str(default))))

    def set_folder(self, name: str, path: Path) -> None:
        self._store.setValue(f"folder/{name}", str(path))

    def value(self, name: str, default: Any) -> Any:
        return self._store.value(name, default)

    def set_value(self, name: str, value: Any) -> None:
        self._store.setValue(name, value)

    def sync(self) -> None:
        self._store.sync()
