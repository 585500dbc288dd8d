"""``record --pointcloud``: what a depth camera sees, beside the film."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from robot_app import cli
from robot_app.clouds import HEIGHT, WIDTH
from robot_app.episode import Episode
from scenes.care.depth_camera import scene_camera

RECORD = [
    "record", "--policy", "scripted/scratch_itch", "--option", "controller=responsive", "--steps", "8",
    "--size", "128x96", "--fps", "10", "--overlay", "none", "--json",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clouds")
    more = ["--pointcloud", "--pointcloud-every", "4", "--camera", "side"]
    assert cli.main([*RECORD, *more, "--out", str(folder / "a.mp4")]) == 0
    return folder


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import open3d

    cloud = open3d.t.io.read_point_cloud(str(path))
    return cloud.point.positions.numpy(), cloud.point.colors.numpy()


def test_every_so_many_steps_leave_the_cloud_that_the_named_camera_sees(made) -> None:
    names = sorted(p.name for p in (made / "a.pointcloud").iterdir())
    assert names == ["000000.ply", "000004.ply", "000008.ply"]
    episode = Episode.load(made / "a.episode")
    scene = episode.build_scene()
    camera = scene_camera(scene, "side", WIDTH, HEIGHT)
    scene.close()
    for t in (0, 4, 8):
        points, colors = read(made / "a.pointcloud" / f"{t:06d}.ply")
        poses = episode.frames[t].poses
        assert poses is not None
        expected = camera.capture(poses).cloud()
        assert len(points) > 5000
        np.testing.assert_array_equal(points, expected.points)
        np.testing.assert_array_equal(colors, expected.colors)
    assert not np.array_equal(points, read(made / "a.pointcloud" / "000000.ply")[0])  # the arm moved


def test_a_recorded_episode_gives_its_clouds_later_and_from_elsewhere(made, capsys) -> None:
    again = ["record", "--episode", str(made / "a.episode"), *RECORD[7:], "--pointcloud"]
    out = str(made / "b.mp4")
    assert cli.main([*again, "--out", out]) == 0
    assert '"clouds"' in capsys.readouterr().out
    assert len(list((made / "b.pointcloud").iterdir())) == 9
    assert cli.main([*again, "--out", out]) == 2  # exists
    assert "--force" in capsys.readouterr().err
    assert cli.main([*again, "--pointcloud-every", "8", "--out", out, "--force"]) == 0
    assert len(list((made / "b.pointcloud").iterdir())) == 2  # what was there went with it


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--pointcloud", "--pointcloud-every", "0"], "--pointcloud-every: got 0"),
        (["--pointcloud-every", "3"], "nothing without --pointcloud"),
        (["--pointcloud", "--camera", "cellar"], "--camera: got 'cellar'"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(more, says, tmp_path, capsys) -> None:
    assert cli.main([*RECORD, *more, "--out", str(tmp_path / "a.mp4")]) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_clear_line(tmp_path) -> None:
    command = [sys.executable, "-m", "robot_app", *RECORD, "--pointcloud", "--out", str(tmp_path / "a.mp4")]
    # bash counts blocks of 1,024 bytes: the film fits, a cloud does not
    run = subprocess.run(
        ["bash", "-c", f"ulimit -f 120; exec {shlex.join(command)}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1, run.stderr
    assert "a.pointcloud/000000.ply" in run.stderr
    assert "No space left on device" in run.stderr
    assert list((tmp_path / "a.pointcloud").iterdir()) == []
