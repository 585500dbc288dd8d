"""Doctor: what is installed, what is missing, and the exact command that mends it.

A check is a function that returns a :class:`Finding`; it never raises.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
DISTRIBUTION = "dynamite-care"
#: What a film or a training needs at least, GB.
DISK_GB = 2.0
#: Debian packages, by what needs them; scripts/install.sh installs the same.
GL_PACKAGES = "libgl1 libegl1 libgl1-mesa-dri"
WINDOW_PACKAGES = (
    "libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-xinerama0 libxcb-image0 libxcb-render-util0 "
    "libxcb-shape0 libdbus-1-3 libfontconfig1"
)
OPEN3D_PACKAGES = "libusb-1.0-0 libgomp1"


@dataclass(frozen=True)
class Finding:
    """One line of the table.

    Attributes:
        name: what was looked at.
        state: ``ok``, ``note`` (works, but…) or ``missing`` (something does not work).
        found: in words.
        mend: the command that mends it, or empty.
    """

    name: str
    state: str
    found: str
    mend: str = ""


def examine() -> list[Finding]:
    """Run every check."""
    findings: list[Finding] = []
    for name, check in CHECKS.items():
        try:
            found = check()
        except Exception as error:  # a doctor that falls ill is of no use
            found = Finding(name, "missing", f"{type(error).__name__}: {error}", _mend(name, error))
        findings += found if isinstance(found, list) else [found]
    return findings


def check_python() -> Finding:
    version = platform.python_version()
    if not (3, 10) <= sys.version_info[:2] < (3, 12):
        return Finding(
            "Python",
            "missing",
            f"{version}; pybullet has wheels for 3.10 and 3.11",
            "make install PYTHON=python3.11",
        )
    return Finding("Python", "ok", f"{version} on {platform.system()} {platform.machine()}")


def check_packages() -> list[Finding]:
    """Every required package: there at all, and the version that was tested."""
    pinned = {}
    if CONSTRAINTS.is_file():
        for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines():
            name, equals, version = line.partition("#")[0].strip().partition("==")
            if equals:
                pinned[_normal(name)] = version.partition(";")[0].strip()
    missing, other = [], []
    wanted = _requirements()
    for name, requirement in wanted.items():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(Finding(name, "missing", "not installed", pip(requirement)))
            continue
        tested = pinned.get(_normal(name))
        if tested is not None and _release(version) != _release(tested):
            other.append(Finding(name, "note", f"{version}; tested with {tested}", pip(f"{name}=={tested}")))
    against = "as tested (constraints.txt)" if pinned else "installed; no constraints.txt to compare with"
    good = len(wanted) - len(missing) - len(other)
    return [Finding("packages", "ok", f"{good} of {len(wanted)} {against}"), *missing, *other]


def check_torch() -> Finding:
    import torch

    threads = f"{torch.get_num_threads()} threads (training uses one)"
    if torch.version.cuda:
        return Finding("torch", "note", f"{torch.__version__} with CUDA, which nothing here uses; {threads}")
    return Finding("torch", "ok", f"{torch.__version__}, CPU, {threads}")


def check_physics() -> Finding:
    from scenes import make_scene

    began = time.perf_counter()
    scene = make_scene("scratch_itch")
    loaded = time.perf_counter() - began
    scene.reset(seed=0)
    action = np.zeros(scene.action_space.shape, np.float32)
    began, n = time.process_time(), 100
    for _ in range(n):
        scene.step(action)
    rate = n / (time.process_time() - began)
    scene.close()
    return Finding("physics", "ok", f"scratch_itch loads in {loaded:.1f} s, {rate:,.0f} steps per CPU-second")


def check_drawing() -> Finding:
    """Which path draws, and how fast at 1280×720."""
    from robot_app.render import make_renderer
    from robot_app.render.camera import OrbitCamera
    from scenes import make_scene

    scene = make_scene("scratch_itch")
    scene.reset(seed=0)
    try:
        renderer = make_renderer(scene.visual_model(), 1280, 720)
        camera, poses = OrbitCamera.from_preset(scene.cameras()[0]), scene.poses()
        times = []
        for _ in range(6):  # the first compiles
            began = time.perf_counter()
            renderer.draw(poses, camera)
            times.append(1000 * (time.perf_counter() - began))
        context = getattr(renderer, "context", None)
        renderer_name = "PyBullet's rasteriser"
        if context is not None:
            with context:  # OpenGL says nothing about a context that is not current
                renderer_name = context.info["GL_RENDERER"]
        renderer.close()
    finally:
        scene.close()
    found = f"{renderer_name}: {np.median(times[1:]):.0f} ms a picture at 1280×720"
    if context is None:
        return Finding("drawing", "note", f"no EGL; {found}", apt(GL_PACKAGES))
    return Finding("drawing", "ok", f"EGL, {found}")


def check_video() -> Finding:
    import av

    if "libx264" not in av.codecs_available:
        return Finding("video", "missing", "no H.264 encoder in PyAV", pip("--force-reinstall av"))
    return Finding("video", "ok", f"PyAV {av.__version__} with libx264")


def check_screen() -> Finding:
    from robot_app.commands.base import has_screen

    if has_screen():
        return Finding(
            "screen", "ok", os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or "native"
        )
    return Finding(
        "screen",
        "note",
        "none: no window here; films, training and evaluation work",
        "robot-app demo --headless",
    )


def check_qt() -> Finding:
    import subprocess

    # In a process of its own: Qt ends the process when it finds no platform plugin that loads.
    code = "from qtpy.QtWidgets import QApplication; QApplication([])"
    platform_name = os.environ.get("QT_QPA_PLATFORM", "offscreen")
    probe = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": platform_name},
    )
    if probe.returncode:
        lines = probe.stderr.strip().splitlines() or [f"exit code {probe.returncode}"]
        return Finding("Qt", "missing", lines[-1], apt(f"{GL_PACKAGES} {WINDOW_PACKAGES}"))
    return Finding("Qt", "ok", f"PyQt5 {metadata.version('PyQt5')}")


def check_open3d() -> Finding:
    import ctypes

    if importlib.util.find_spec("open3d") is None:
        wanted = next((text for name, text in _requirements().items() if name.startswith("open3d")), "open3d")
        return Finding("Open3D", "missing", "not installed", pip(wanted))
    for library in ("libusb-1.0.so.0", "libgomp.so.1") if sys.platform == "linux" else ():
        try:
            ctypes.CDLL(library)
        except OSError:
            return Finding("Open3D", "missing", f"installed, but {library} is not", apt(OPEN3D_PACKAGES))
    return Finding("Open3D", "ok", "installed")


def check_cores() -> Finding:
    import psutil

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = psutil.virtual_memory()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    found = f"{usable} cores{load}, {memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB memory free"
    return Finding("machine", "ok", found)


def check_disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    if free < DISK_GB:
        return Finding(
            "disk",
            "missing",
            f"{free:.1f} GB free; a long training or film needs {DISK_GB:.0f}",
            "make clean",
        )
    return Finding("disk", "ok", f"{free:.0f} GB free in {Path.cwd()}")


def check_pretrained() -> Finding:
    from policies import list_policies
    from scenes.registry import list_scenes

    found = [
        f"{scene}: {name}"
        for scene in list_scenes()
        for name in list_policies(scene)
        if name.startswith("pretrained/")
    ]
    if not found:
        return Finding("packaged agents", "note", "none; the demo shows a scripted policy", "robot-app train")
    return Finding("packaged agents", "ok", ", ".join(found))


def check_upstream() -> Finding:
    """Upstream's package, which one scene runs and comparisons need."""
    from scenes.registry import find_scene

    entry = find_scene("assistive_gym")
    if not entry.installed:
        found = "upstream is not installed; only the scene assistive_gym needs it"
        return Finding("Assistive Gym", "note", found, f"{sys.executable} -m {entry.command}")
    return Finding("Assistive Gym", "ok", f"upstream {metadata.version('assistive-gym')} is installed")


def check_mujoco() -> Finding:
    """The extra of the MuJoCo scenes."""
    from scenes.registry import SCENES

    names = [name for name, entry in SCENES.items() if entry.extra == "mujoco"]
    if not all(SCENES[name].installed for name in names):
        found = f"not installed; only these scenes need it: {', '.join(names)}"
        return Finding("MuJoCo", "note", found, pip(f"{DISTRIBUTION}[mujoco]"))
    return Finding("MuJoCo", "ok", f"{metadata.version('mujoco')} for {', '.join(names)}")


def check_ray() -> Finding:
    """The extra of sweeps over many machines."""
    try:
        version = metadata.version("ray")
    except metadata.PackageNotFoundError:
        found = "not installed; only robot-app sweep --executor ray needs it"
        return Finding("Ray", "note", found, pip(f"{DISTRIBUTION}[cluster]"))
    return Finding("Ray", "ok", f"{version} for sweeps on many machines")


CHECKS: dict[str, Callable[[], Finding | list[Finding]]] = {
    "Python": check_python,
    "packages": check_packages,
    "torch": check_torch,
    "physics": check_physics,
    "drawing": check_drawing,
    "video": check_video,
    "Qt": check_qt,
    "screen": check_screen,
    "Open3D": check_open3d,
    "machine": check_cores,
    "disk": check_disk,
    "packaged agents": check_pretrained,
    "Assistive Gym": check_upstream,
    "MuJoCo": check_mujoco,
    "Ray": check_ray,
}
#: What mends a check that could not even be made, where that is not a package which cannot be imported.
BROKEN: dict[str, Callable[[], str]] = {
    "physics": lambda: pip("--force-reinstall --no-deps pybullet"),
    "drawing": lambda: apt(GL_PACKAGES),
    "video": lambda: pip("--force-reinstall --no-deps av"),
    "torch": lambda: pip("--force-reinstall --no-deps torch"),
    "Qt": lambda: apt(f"{GL_PACKAGES} {WINDOW_PACKAGES}"),
}


def pip(what: str) -> str:
    """How a package comes into this environment, in the version that was tested where that is known.

    Args:
        what: a requirement, such as ``av>=14.0``; with pip's options before it, words without special characters.
    """
    pinned = f" -c {shlex.quote(str(CONSTRAINTS))}" if CONSTRAINTS.is_file() else ""
    words = what if what.startswith("--") else shlex.quote(what)
    return f"{shlex.quote(sys.executable)} -m pip install{pinned} {words}"


def _mend(name: str, error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        providers = metadata.packages_distributions().get(package, [])
        known = {_normal(wanted): requirement for wanted, requirement in _requirements().items()}
        return pip(known.get(_normal(providers[0] if providers else package), package))
    return BROKEN[name]() if name in BROKEN else ""


def apt(packages: str) -> str:
    """How this system installs Debian packages; other systems name theirs much alike."""
    if shutil.which("apt-get") is None:
        return f"install your system's equivalents of: {packages}"
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install -y {packages}"


def _requirements() -> dict[str, str]:
    """This project's required packages: name → requirement, for this platform."""
    try:
        listed = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return {}
    wanted = {}
    for text in listed:
        requirement, _, marker = text.partition(";")
        if "extra ==" in marker or (marker and not _holds(marker)):
            continue
        name = requirement.strip()
        for i, character in enumerate(name):
            if not (character.isalnum() or character in "-_."):
                name = name[:i]
                break
        wanted[name] = requirement.strip()
    return wanted


def _holds(marker: str) -> bool:
    """Whether an environment marker holds here; if that cannot be told, it does not."""
    try:
        from packaging.markers import Marker
    except ImportError:
        return False
    return Marker(marker.strip()).evaluate()


def _normal(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(".", "-")


def _release(version: str) -> str:
    """Without a local part: 2.13.0+cpu is 2.13.0."""
    return version.partition("+")[0]
