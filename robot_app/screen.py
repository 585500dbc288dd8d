"""Whether a window can open here, asked before Qt is: Qt ends the whole process when it finds no screen."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

#: Platforms of Qt that bring a screen of their own, and those that show nothing to anybody.
_OWN, _UNSEEN = ("vnc", "linuxfb", "eglfs"), ("offscreen", "minimal")


def why_no_screen(environment: Mapping[str, str] = os.environ) -> str:
    """What is missing for a window, in words; empty where nothing is."""
    platform = environment.get("QT_QPA_PLATFORM", "")
    if sys.platform in ("win32", "darwin") or platform.startswith(_OWN):
        return ""
    wayland, display = environment.get("WAYLAND_DISPLAY"), environment.get("DISPLAY")
    if not wayland and not display:
        return "neither DISPLAY nor WAYLAND_DISPLAY is set"
    if platform.startswith(_UNSEEN):
        return f"QT_QPA_PLATFORM={platform} shows nothing"
    if wayland and _wayland_answers(wayland, environment.get("XDG_RUNTIME_DIR", "")):
        return ""
    if display:
        return "" if _x_answers(display) else f"the X server DISPLAY={display} does not answer"
    return f"the compositor WAYLAND_DISPLAY={wayland} does not answer"


def _wayland_answers(name: str, runtime: str) -> bool:
    path = Path(runtime) / name  # an absolute name stays itself
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _x_answers(display: str) -> bool:
    """As Qt asks, with libxcb, authority file and all; where that is missing, Qt will say so itself."""
    library = ctypes.util.find_library("xcb")
    if library is None:
        return True
    xcb = ctypes.CDLL(library)
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(display.encode(), None)
    failed = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not failed
