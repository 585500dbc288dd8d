"""``python -m dynamite``: train from a shell, one JSON line per iteration."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys

from dynamite.config_io import load_yaml, parse_overrides, with_overrides
from dynamite.errors import TrainingError
from dynamite.variants import configure, list_variants
from dynamite.vector import make_one
from scenes.errors import InputError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dynamite", description=__doc__)
    parser.add_argument("--scene", default="scratch_itch")
    parser.add_argument("--variant", default="dynamite", help=", ".join(list_variants()))
    parser.add_argument("--config", help="a YAML file on top of the scene's preset")
    parser.add_argument("--run-dir", required=True)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument(
        "--offline", metavar="DATASET", help="learn from a dataset alone (python -m dynamite.dataset)"
    )
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.FIELD=VALUE")
    arguments = parser.parse_args()
    stopping = []

    def report(progress) -> None:
        print(progress.to_json(), flush=True)

    signal.signal(signal.SIGINT, lambda *_: stopping.append(True))
    try:
        config = configure(arguments.scene, arguments.variant)
        if arguments.config:
            config = load_yaml(arguments.config, config)
        config = with_overrides(config, parse_overrides(arguments.set))
        if arguments.offline and arguments.resume:
            raise InputError("--resume", "with --offline", "one of them")
        # Learners import PyTorch: a mistake in the configuration is told before.
        make_one(config.scene).close()
        if arguments.offline:
            from dynamite.offline import train_offline

            last = train_offline(config, arguments.offline, arguments.run_dir, report, lambda: bool(stopping))
        else:
            from dynamite.train import train

            # By name: the layer above provides the teachers of an imitation.
            load_policy = importlib.import_module("policies").load if config.imitation.frames else None
            last = train(
                config,
                arguments.run_dir,
                on_progress=report,
                should_stop=lambda: bool(stopping),
                load_policy=load_policy,
                resume=arguments.resume,
            )
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except TrainingError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"checkpoint: {last}", file=sys.stderr)
    return 0


raise SystemExit(main())
