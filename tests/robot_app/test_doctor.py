"""The doctor: finds what is missing, names the command that mends it, and never falls ill itself."""

from __future__ import annotations

import json
import re
from importlib import metadata

import pytest

from robot_app import cli, doctor
from scenes.registry import SceneEntry


@pytest.fixture(scope="module")
def findings() -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in doctor.examine()}


def test_this_machine_can_run_everything(findings) -> None:
    assert set(findings) >= {
        "Python", "packages", "torch", "physics", "drawing", "video", "Qt", "screen", "Open3D", "machine", "disk",
        "packaged agents", "Assistive Gym", "MuJoCo", "Ray",
    }  # fmt: skip
    assert {finding.name for finding in findings.values() if finding.state == "missing"} == set()
    assert re.fullmatch(r"EGL, \w.*: \d+ ms a picture at 1280×720", findings["drawing"].found)
    assert "steps per CPU-second" in findings["physics"].found


def test_json_and_table_say_the_same(monkeypatch, capsys) -> None:
    rows = [
        doctor.Finding("one", "ok", "there"),
        doctor.Finding("two", "missing", "gone", "apt-get install -y two # " + "long " * 40),
    ]
    monkeypatch.setattr(doctor, "examine", lambda: rows)
    assert cli.main(["doctor", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert [finding["name"] for finding in report["findings"]] == ["one", "two"]
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "missing" in out
    assert f"two: {rows[1].mend}" in out  # whole, on one line, to be copied
    monkeypatch.setattr(doctor, "examine", lambda: rows[:1])
    assert cli.main(["doctor"]) == 0


def test_a_missing_and_an_untested_package_are_named_with_the_command(monkeypatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "av":
            raise metadata.PackageNotFoundError(name)
        return "0.0.1" if name == "rich" else real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    found = {finding.name: finding for finding in doctor.check_packages()}
    assert found["av"].state == "missing"
    assert "pip install" in found["av"].mend
    assert found["av"].mend.endswith("constraints.txt 'av>=14.0'")
    assert found["rich"].state == "note"
    assert "0.0.1; tested with" in found["rich"].found
    assert "rich==" in found["rich"].mend


def test_without_egl_it_says_what_draws_instead(monkeypatch) -> None:
    monkeypatch.setenv("ROBOT_APP_RENDERER", "tiny")
    found = doctor.check_drawing()
    assert found.state == "note"
    assert "no EGL" in found.found
    assert "libegl1" in found.mend


def test_a_full_disk_and_a_lost_library_are_found(monkeypatch) -> None:
    usage = type("Usage", (), {"free": 1e9})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    assert doctor.check_disk().state == "missing"
    import ctypes

    def lost(name):
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", lost)
    found = doctor.check_open3d()
    assert found.state == "missing"
    assert "libusb-1.0-0" in found.mend


def test_a_check_that_fails_is_a_finding_not_a_crash(monkeypatch) -> None:
    monkeypatch.setattr(doctor, "CHECKS", {"heart": lambda: 1 / 0, "feet": doctor.check_python})
    heart, feet = doctor.examine()
    assert (heart.name, heart.state) == ("heart", "missing")
    assert "division by zero" in heart.found
    assert feet.name == "Python"


def test_screen_or_none(monkeypatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert doctor.check_screen().mend == "robot-app demo --headless"
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.delenv("QT_QPA_PLATFORM")
    monkeypatch.setattr("robot_app.screen._x_answers", lambda display: True)
    assert doctor.check_screen().state == "ok"


def test_a_missing_upstream_is_a_note_with_the_command(monkeypatch) -> None:
    monkeypatch.setattr(SceneEntry, "installed", property(lambda entry: not entry.extra))
    finding = doctor.check_upstream()
    assert finding.state == "note"
    assert "-m pip install --no-deps" in finding.mend


def test_a_missing_mujoco_is_a_note_with_the_command(monkeypatch) -> None:
    monkeypatch.setattr(SceneEntry, "installed", property(lambda entry: not entry.extra))
    finding = doctor.check_mujoco()
    assert finding.state == "note"
    assert "reacher" in finding.found
    assert "pip install -c" in finding.mend
    assert finding.mend.endswith("constraints.txt 'dynamite-care[mujoco]'")


def test_ray_is_reported_or_the_command_that_installs_it(monkeypatch) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    finding = doctor.check_ray()
    assert (finding.state, finding.mend) == ("note", doctor.pip("dynamite-care[cluster]"))
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "9.9")
    assert (doctor.check_ray().state, doctor.check_ray().found[:3]) == ("ok", "9.9")


def test_a_package_that_cannot_be_imported_and_a_broken_driver_have_their_command(monkeypatch) -> None:
    def no_moderngl():
        raise ModuleNotFoundError("No module named 'moderngl'", name="moderngl")

    def no_context():
        raise RuntimeError("(detect) glcontext: could not get a display")

    monkeypatch.setattr(doctor, "CHECKS", {"video": no_moderngl, "drawing": no_context})
    package, driver = doctor.examine()
    assert package.mend == doctor.pip("moderngl>=5.12")
    assert (driver.state, driver.mend) == ("missing", doctor.apt(doctor.GL_PACKAGES))
