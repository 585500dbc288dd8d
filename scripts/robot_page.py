"""The documentation's page of robots: what each is, where it can be mounted, where it comes from, and a picture."""

from __future__ import annotations

import functools
from pathlib import Path

from scenes.care.place import PLACES
from scenes.care.robots import ROBOTS
from scenes.visual import CameraPreset
from scripts.page_pictures import draw_start, keep_picture
from scripts.scene_pages import table, write_text

#: What robots are shown in, from far enough to see the largest whole.
SCENE, CAMERA = "scratch_itch", CameraPreset("robots", (-1.9, -2.6, 1.9), (-0.55, -0.05, 0.72), 42.0)


def page(pictures: tuple[str, ...]) -> str:
    """The page, reStructuredText.

    Args:
        pictures: robots that have one.
    """
    lines = ["Robots", "======", ""]
    lines += [
        "``robot=`` of every care scene takes one that has a mount at the scene's place; another is refused in one line",
        "that lists those. ScratchItch and Dressing take place at the ``wheelchair``, Feeding and Drinking at the",
        "``wheelchair_face``, BedBathing at the ``bed``, ArmManipulation at the ``bed_head``. No mount was found from",
        "which PR2 or Stretch reaches the mouth from both sides; for ArmManipulation only Jaco, Panda and xArm 7 have",
        "one.", "",
        "How the scripted oracles do with each robot: :doc:`/results/robots/README`, eight episodes each, by",
        "``robot-app sweep sweeps/robots.yaml``. With the robots' own torque (``responsive``) they reach success in 337 of",
        "352 episodes. Upstream's controller gives every joint at most 1 N·m, whatever the robot weighs; in ScratchItch and",
        "BedBathing that is too weak for the heavier arms: 37 and 59 of 72 episodes, 0 and 2 of 8 with PR2.", "",
    ]  # fmt: skip
    rows = [
        (
            f"``{name}``",
            robot.label,
            str(robot.n_joints),
            ", ".join(place for place in PLACES if place in robot.mounts),
            f"{robot.torque:g} N·m",
            f"{robot.source.description} in {robot.source.package}, {robot.source.licence}",
        )
        for name, robot in ROBOTS.items()
    ]
    head = ("robot", "is", "joints", "can be mounted at", "torque", "numbers and look come from")
    lines += table(
        "An action has an entry per joint; the torque is the ``responsive`` controller's.", head, rows
    )
    for name in pictures:
        label = ROBOTS[name].label
        lines += [f".. figure:: robot_{name}.png", f"   :alt: {label}", "", f"   ``{name}``, {label}", ""]
    return "\n".join(lines)


def write_page(folder: Path) -> None:
    """Write ``robots.rst``, and ``robot_<name>.png`` for the robots that the scene can have."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = tuple(name for name, robot in ROBOTS.items() if "wheelchair" in robot.mounts)
    for name in shown:
        keep_picture(folder / f"robot_{name}.png", functools.partial(draw_start, SCENE, CAMERA, robot=name))
    write_text(folder / "robots.rst", page(shown))
