"""``robot-app record``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import tyro

from robot_app.commands.base import (
    Flag,
    MaybePolicyName,
    MaybeSteps,
    PolicyName,
    SceneVerb,
    Size,
    print_json,
    say,
)

if TYPE_CHECKING:
    from robot_app.film import FilmSettings
    from robot_app.film_outputs import FilmOutputs


@dataclass(frozen=True, kw_only=True)
class Record(SceneVerb):
    """Film one episode: MP4, a CSV trace, and the episode folder that reproduces it.

    The film plays in real time and is playable while it is being written. A trained policy meets the scene as it was
    trained in it, unless --option says otherwise.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "robot-app record --policy scripted/scratch_itch --out out/oracle.mp4",
        'robot-app record --policy pretrained/dynamite --changes "60:forearm.dorsal,120:upper_arm" --size 1920x1080',
        "robot-app record --schedule changes.yaml --overlay belief,reward --theme light --studio --gif",
        "robot-app record --policy scripted/scratch_itch --pointcloud --pointcloud-every 10 --camera arm",
        "robot-app record --policy pretrained/dynamite --versus random --camera shoulder,front --side-by-side",
        "robot-app record --episode out/film.episode --out out/front.mp4 --camera front --size 3840x2160 --studio",
    )

    policy: PolicyName = "pretrained/dynamite"
    """Who acts: a name (`robot-app policies` lists them), or the folder of a checkpoint or run."""
    versus: MaybePolicyName = None
    """A second policy for a split screen: the same scene, seed and changes, on the right of every picture."""
    seed: int = 0
    """Of the episode."""
    changes: Annotated[str | None, tyro.conf.arg(metavar="STEP:VALUE,…")] = None
    """When the hidden preference changes and to what: part[.side][@axial]; no other session ends."""
    schedule: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """The same from a YAML file: a list of {step, latent}, where a latent may name several fields."""
    steps: MaybeSteps = None
    """Stop after so many steps; by default the whole episode."""
    episode: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Film this recorded episode again instead of playing one: another camera or size, the same run."""
    out: Path = Path("out/film.mp4")
    """The film; everything else lies beside it under the same name."""
    size: Size = "1280x720"
    """Pixels."""
    fps: int = 30
    """Pictures per second; poses between the scene's steps are interpolated."""
    camera: str = ""
    """One of the scene's cameras, such as shoulder, front or arm; by default its first. Several, as in
    shoulder,front, film one run in one pass: a file each, film.shoulder.mp4 and film.front.mp4."""
    side_by_side: Flag = False
    """Several cameras in one picture instead of a file each."""
    overlay: str = "title,belief,reward,session,force"
    """What is written over the picture; `none` for nothing."""
    theme: str = "dark"
    """dark or light."""
    hide_truth: Flag = False
    """Do not mark the true preference."""
    studio: Flag = False
    """Supersampled, with a soft shadow; several times slower."""
    stills: Flag = False
    """Also one PNG per step, in a folder."""
    gif: Flag = False
    """Also an animated GIF."""
    pointcloud: Flag = False
    """Also what a depth camera of 320x240 sees from the film's camera: one PLY per step, in a folder."""
    pointcloud_every: Annotated[int, tyro.conf.arg(metavar="STEPS")] = 1
    """Write only every so many steps' point cloud."""
    csv: bool = True
    """The trace, one row per step."""
    force: Flag = False
    """Replace what exists."""
    json: Flag = False
    """One JSON object about what was made."""

    def run(self) -> int:
        made = self._film_again() if self.episode is not None else self._play()
        if self.json:
            print_json(made)
        else:
            tell(made)
        return 0

    def _play(self) -> dict[str, Any]:
        from robot_app.recording import record, trained_recipe
        from scenes.errors import InputError

        if self.changes is not None and self.schedule is not None:
            raise InputError("--schedule", str(self.schedule), "one of --changes and --schedule")
        changes: Any = self.changes
        if self.schedule is not None:
            from robot_app.recipe import read_schedule

            changes = read_schedule(self.schedule)
        if self.seed < 0:
            raise InputError("--seed", self.seed, "a whole number, 0 or more")
        settings, outputs = self._settings(), self._outputs()
        changes_from = "--changes" if self.schedule is None else "--schedule"
        recipe = trained_recipe(self.recipe(changes, changes_from), self.policy)
        if self.versus is not None:
            other = trained_recipe(self.recipe(changes, changes_from), self.versus)
            for key in recipe.options.keys() & other.options.keys():
                if recipe.options[key] != other.options[key]:
                    raise InputError(
                        "--option",
                        f"{key}: {self.policy} was trained with {recipe.options[key]}, "
                        f"{self.versus} with {other.options[key]}",
                        f"--option {key}=… to say which, for both",
                    )
            recipe = replace(recipe, options={**other.options, **recipe.options})
        return record(
            recipe,
            self.policy,
            self.seed,
            settings,
            outputs,
            versus=self.versus,
            steps=self.steps,
            force=self.force,
            show_progress=not self.json,
            changes_from=changes_from,
        )

    def _film_again(self) -> dict[str, Any]:
        from robot_app.recording import film_again
        from scenes.errors import InputError

        assert self.episode is not None
        decided = ("scene", "option", "policy", "versus", "seed", "changes", "schedule")
        for name in decided:
            if getattr(self, name) != type(self).__dataclass_fields__[name].default:
                raise InputError(
                    f"--{name}", getattr(self, name), "nothing beside --episode, which decides it"
                )
        if self.steps is not None and self.steps < 1:
            raise InputError("--steps", self.steps, "1 or more")
        outputs = replace(self._outputs(), episode=None)
        return film_again(
            self.episode,
            self._settings(),
            outputs,
            steps=self.steps,
            force=self.force,
            show_progress=not self.json,
        )

    def _settings(self) -> FilmSettings:
        from robot_app.film import FilmSettings, parse_overlay, parse_size
        from scenes.errors import InputError

        if self.pointcloud_every != 1 and not self.pointcloud:
            raise InputError("--pointcloud-every", self.pointcloud_every, "nothing without --pointcloud")
        width, height = parse_size(self.size)
        return FilmSettings(
            width,
            height,
            self.fps,
            tuple(name.strip() for name in self.camera.split(",")),
            parse_overlay(self.overlay),
            self.theme,
            self.studio,
            not self.hide_truth,
            self.pointcloud_every,
            self.side_by_side,
        )

    def _outputs(self) -> FilmOutputs:
        from robot_app.film_outputs import FilmOutputs

        return FilmOutputs(
            film=self.out,
            trace=self.out.with_suffix(".csv") if self.csv else None,
            stills=self.out.with_suffix(".stills") if self.stills else None,
            gif=self.out.with_suffix(".gif") if self.gif else None,
            clouds=self.out.with_suffix(".pointcloud") if self.pointcloud else None,
            episode=self.out.with_suffix(".episode"),
            rival_trace=self.out.with_suffix(".versus.csv") if self.csv and self.versus else None,
            rival_episode=self.out.with_suffix(".versus.episode") if self.versus else None,
        )


def tell(made: dict[str, Any]) -> None:
    """What was made and where, for people."""
    rival = "" if made.get("rival_return") is None else f" | {made['rival_return']:.1f}"
    say(
        f"{made['policy']} in {made['scene']}, seed {made['seed']}: "
        f"{made['n_steps']} steps, return {made['episode_return']:.1f}{rival}"
    )
    for name, path in made["outputs"].items():
        say(f"  {name:14s} {path}")
    say(f"{made['n_pictures']} pictures in {made['seconds']:.0f} s")


COMMAND = Record
