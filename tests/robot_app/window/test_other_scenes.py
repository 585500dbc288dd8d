"""Scenes other than the first open in the window with their oracle, and a preference edited there is followed."""

from __future__ import annotations

from robot_app.recipe import SceneRecipe


def test_bed_bathing_runs_with_its_oracle_and_its_region_can_be_edited(open_window, wait) -> None:
    window = open_window(60.0, scene=SceneRecipe("bed_bathing"), policy="scripted/bed_bathing", seed=3)
    bench = window.workbench
    wait(lambda: window.viewport.shown is not None, 60)
    assert set(window.panels["preference"].editors) == {"region", "pressure"}
    before = bench.history.last.latent["region"]
    wanted = "forearm_top" if before != "forearm_top" else "upper_arm_side"
    bench.edit({"region": wanted})
    wait(lambda: bench.history.last.latent["region"] == wanted, 60)
