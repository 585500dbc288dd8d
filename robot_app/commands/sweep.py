"""``robot-app sweep``."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import tyro

from robot_app.commands.base import Flag, KeyValues, Verb, print_json, say

if TYPE_CHECKING:
    from dynamite.sweep.driver import Outlook
    from dynamite.sweep.executor import Executor
    from dynamite.sweep.plan import Plan
    from dynamite.sweep.store import Store


@dataclass(frozen=True, kw_only=True)
class Sweep(Verb):
    """Train and evaluate everything that a sweep's file lists; a rerun does only what is missing.

    Each job writes one row under OUT/rows the moment it is done; results.csv and results.parquet hold them all. Ctrl-C
    saves the trainings that run, gives up evaluations, and the same command goes on from there. A job that fails is a row
    with its error.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "robot-app sweep sweeps/quick.yaml",
        "robot-app sweep sweeps/gridworld_return.yaml --out docs/results/gridworld_return --jobs 2",
        "robot-app sweep sweeps/gridworld_return.yaml --only variant=dynamite,varibad --only seed=0 --dry-run",
        "robot-app sweep sweeps/paper_table.yaml --executor ray --address auto",
    )

    file: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="SWEEP.yaml")]]
    """What to run; the files under sweeps/ show how it is written."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Where rows and tables go; by default results/NAME."""
    jobs: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """How many run at a time, a process each; by default one per core, of this machine or of the cluster."""
    executor: Literal["local", "ray"] = "local"
    """Where jobs run: processes of this machine, or a Ray cluster (extra `cluster`). Both give the same table."""
    address: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS")] = None
    """Of a Ray cluster that is running, such as auto or HOST:6379; by default one is started on this machine."""
    only: Annotated[KeyValues, tyro.conf.arg(metavar="AXIS=VALUE[,VALUE]")] = ()
    """Run only jobs with such a value on an axis (or block=NAME); wildcards are allowed."""
    work: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Where trainings keep their checkpoints until they are done; by default OUT/.work."""
    keep: Flag = False
    """Leave the trainings' folders in WORK, checkpoints included."""
    table: Flag = False
    """Run nothing: write the tables anew from the rows that are there."""
    retry_failed: Flag = False
    """Run jobs again whose row holds an error."""
    dry_run: Flag = False
    """List what would be run, and stop."""
    json: Flag = False
    """No progress; one JSON object at the end."""

    def run(self) -> int:
        from dynamite.sweep.driver import look_ahead, run_missing
        from dynamite.sweep.result import Settings
        from dynamite.sweep.store import Store
        from robot_app.interrupt import Interrupt
        from robot_app.sweep_progress import SweepProgress
        from robot_app.sweep_time_left import SweepTime, known_seconds
        from robot_app.version import code_version
        from scenes.errors import InputError

        if self.jobs is not None and self.jobs < 1:
            raise InputError("--jobs", self.jobs, "a whole number, 1 or more")
        executor = self._executor()
        whole = self._plan()
        plan = whole.only(self._filters()) if self.only else whole
        store = Store(self.out or Path("results") / whole.name)
        if self.dry_run:
            return self._list(plan, look_ahead(plan, store, self.retry_failed))
        store.open(whole)
        if self.table:
            return self._report(whole, store, 0, 0, 0)
        outlook = look_ahead(plan, store, self.retry_failed)
        settings = Settings(work=self.work or store.out / ".work", program=code_version(), keep=self.keep)
        frames = _frames(outlook)
        time_left = SweepTime(outlook.todo, frames, known_seconds(plan, store))
        progress = SweepProgress(_names(plan), frames, time_left, self.json)
        if outlook.done and not self.json:
            say(f"{outlook.done} of {len(plan.jobs())} jobs are done already")
        saying = "saving the trainings that run; Ctrl-C again stops at once"
        with Interrupt(saying) as interrupt, progress:
            run_missing(outlook, store, executor, settings, progress, interrupt.is_set)
        self._clean(settings.work)
        return self._report(whole, store, progress.done, progress.failed, len(outlook.todo))

    # -- what to do
    def _plan(self) -> Plan:
        from dynamite.sweep.loaded import find_source
        from dynamite.sweep.plan import load_plan
        from robot_app.figures.spec import parse_figures, parse_reference

        plan = load_plan(self.file, find_source)
        parse_figures(plan.figures)  # what they ask for is found wrong now and not after hours
        parse_reference(plan.reference)
        return plan

    def _executor(self) -> Executor:
        from dynamite.sweep.executor import LocalExecutor
        from dynamite.sweep.ray_executor import RayExecutor
        from scenes.errors import InputError

        if self.executor == "ray":
            return RayExecutor(self.address, self.jobs)
        if self.address is not None:
            raise InputError("--address", self.address, "an address only with --executor ray")
        return LocalExecutor(self.jobs or os.cpu_count() or 1)

    def _filters(self) -> dict[str, list[str]]:
        from scenes.errors import InputError

        filters: dict[str, list[str]] = {}
        for text in self.only:
            key, equals, values = text.partition("=")
            if not equals or not key or not values:
                raise InputError("--only", text, "axis=value, such as variant=dynamite,varibad")
            filters.setdefault(key, []).extend(values.split(","))
        return filters

    def _list(self, plan: Plan, outlook: Outlook) -> int:
        names = _names(plan)
        if self.json:
            todo = [{"id": job.id, "name": names[job.id]} for job in outlook.todo]
            print_json({"todo": todo, "done": outlook.done, "failed": outlook.failed})
            return 0
        for job in outlook.todo:
            print(f"{job.id}  {names[job.id]}")
        say(f"{len(outlook.todo)} to run, {outlook.done} done ({outlook.failed} of them failed)")
        return 0

    # -- what came of it
    def _report(self, whole: Plan, store: Store, ran: int, failed: int, planned: int) -> int:
        """Write the tables and say what there is."""
        from dynamite.sweep.references import References
        from dynamite.sweep.table import build_table, save_table

        references = References(store.out / "references.json")
        lines = build_table(whole, store, references)
        save_table(lines, store)
        references.save()
        left, others = planned - ran, store.others(whole)
        again = self._again()
        failures = sum(line["error"] is not None for line in lines)
        if self.json:
            print_json(
                {
                    "out": str(store.out),
                    "ran": ran,
                    "failed": failed,
                    "left": left,
                    "rows": len(lines),
                    "rows_failed": failures,
                    "rows_of_other_settings": others,
                    "resume": again if left else None,
                }
            )
        else:
            say(f"table       {store.out / 'results.csv'} ({len(lines)} rows, {failures} of them failures)")
            say(f"figures     robot-app figures --results {shlex.quote(str(store.out))}")
            if others:
                say(
                    f"others      {others} rows belong to other settings than the file's and today's presets'"
                )
            if failures:
                say(f"retry       {again} --retry-failed")
            if left:
                say(f"go on       {again}")
        return 130 if left else int(failed > 0)

    def _again(self) -> str:
        words = ["robot-app", "sweep", str(self.file)]
        for name in ("out", "jobs", "work", "executor", "address"):
            value = getattr(self, name)
            words += [f"--{name}", str(value)] if value not in (None, "local") else []
        for text in self.only:
            words += ["--only", text]
        return shlex.join(words)

    def _clean(self, work: Path) -> None:
        """Remove the folder of trainings where nothing is left in it."""
        if work.is_dir() and not any(work.iterdir()):
            work.rmdir()


def _names(plan: Plan) -> dict[str, str]:
    """What to call each job."""
    names: dict[str, str] = {}
    blocks = {planned.block for planned in plan.planned}
    for planned in plan.planned:
        words = [planned.block] if len(blocks) > 1 else []
        words += [f"{key.rpartition('.')[2]} {value}" for key, value in planned.labels.items()]
        names.setdefault(planned.job.id, " · ".join(words) or planned.block)
    return names


def _frames(outlook: Outlook) -> dict[str, int]:
    """Steps of each job: of its training, or of its evaluation where nothing is trained."""
    from dynamite.config import Config
    from scenes.registry import find_scene

    return {
        job.id: job.source.train.frames
        if isinstance(job.source, Config)
        else job.episodes * int(getattr(find_scene(job.scene.name).load(), "episode_length"))  # noqa: B009
        for job in outlook.todo
    }


COMMAND = Sweep
