"""The commands that ask the live service: `verify`, `pull` and `push`."""

import argparse
import asyncio
import getpass
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from mockchat.commands import UsageError
from mockchat.commands.show import note, printable, say, say_json
from mockchat.commands.table import Action
from mockchat.config import Config
from mockchat.control.stored import load_seed
from mockchat.core.steps import T
from mockchat.core.words import AdviceError
from mockchat.verify import VerifyError, cassette, curl, report
from mockchat.verify.pull import Pull, Wish
from mockchat.verify.push import Push
from mockchat.verify.run import PREFIX, Plan, Run
from mockchat.verify.side import Place, Side
from mockchat.verify.table import GROUPS


# --- the app --------------------------------------------------------------------------------
def _given(arguments: argparse.Namespace, name: str, default: str = "") -> str:
    found = getattr(arguments, name, None)
    if found is None:
        found = os.environ.get(f"COMETCHAT_{name.upper()}", default)
    return str(found).strip()


def _secret(arguments: argparse.Namespace, name: str, told: str) -> str:
    """Return a key by flag, variable or prompt; empty if there is nobody to ask."""
    found = _given(arguments, name)
    if found or not sys.stdin.isatty():
        return found
    try:
        return getpass.getpass(f"{told}: ").strip()
    except EOFError:
        return ""


def _place(arguments: argparse.Namespace) -> Place:
    app_id, region = _given(arguments, "app_id"), _given(arguments, "region", "us")
    if not app_id:
        raise UsageError("--app-id (or COMETCHAT_APP_ID) must name the app")
    Config(app_id=app_id, region=region)  # which checks both
    base_url = (arguments.base_url or "").rstrip("/")
    if base_url and not base_url.startswith(("http://", "https://")):
        raise UsageError(f"--base-url {base_url}: must be like https://host/v3")
    return Place(app_id, region, base_url)


def _rest_key(arguments: argparse.Namespace) -> str:
    key = _secret(arguments, "rest_api_key", "REST API key of the app")
    if not key:
        raise UsageError("--rest-api-key (or COMETCHAT_REST_API_KEY) must be the app's REST key")
    return key


def _confirm(arguments: argparse.Namespace, lines: list[str]) -> None:
    """Say what will happen and ask; raise AdviceError for a no, UsageError without a terminal."""
    for line in lines:
        note(line)
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked: pass --yes")
    sys.stderr.write("Go on? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise AdviceError("nothing was done")


def _need(*modules: str) -> None:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        text = f"this needs {' and '.join(missing)}: pip install 'mockchat[verify]'"
        raise AdviceError(text)


@contextmanager
def _counting() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function that shows how many of a kind are done, of how many.

    It shows bars on stderr if that is a terminal.
    """
    from rich import progress  # noqa: PLC0415  # of the extra `verify`
    from rich.console import Console  # noqa: PLC0415

    columns = (progress.TextColumn("{task.description}"), progress.BarColumn())
    more = (progress.MofNCompleteColumn(), progress.TimeRemainingColumn())
    console = Console(stderr=True)
    with progress.Progress(*columns, *more, console=console, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def told(kind: str, done: int, total: int) -> None:
            if kind not in tasks:
                tasks[kind] = bars.add_task(kind, total=total)
            bars.update(tasks[kind], completed=done, total=total)

        yield told


def _run(work: Callable[..., Coroutine[Any, Any, T]], *sides: Side) -> T:
    """Return the result of work with open sides; Ctrl-C and SIGTERM cancel it, and it cleans up.

    Raises AdviceError if the service cannot be asked, UsageError if a file cannot be written.
    """

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # asyncio.run made one
        with suppress(NotImplementedError, RuntimeError):  # of Windows, of other threads
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        async with AsyncExitStack() as end:
            return await work(*[await end.enter_async_context(side) for side in sides])

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    except VerifyError as error:
        raise AdviceError(printable(str(error))) from None
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written: {error.strerror}") from None


# --- verify ---------------------------------------------------------------------------------
def verify(_action: Action, arguments: argparse.Namespace) -> int:
    """Compare the live service with mockchat; exit status 0 only if nothing differs."""
    plan = _plan(arguments)
    if arguments.dry_run:
        for group in plan.groups:
            for line in curl.lines(plan, group):
                say(line)
        return 0
    if arguments.remove:
        run = Run(plan)
        _run(run.remove)
        note(_left(run))
        return int(bool(run.made.left))
    _need("rich", *(("yaml",) if arguments.record else ()))
    _confirm(arguments, _announced(plan))
    with _counting() as told:
        run = Run(plan, progress=told)
        try:
            _run(run.play)
        except KeyboardInterrupt:
            note(f"interrupted; {_left(run)}")
            raise
    return _tell(run, arguments)


def _plan(arguments: argparse.Namespace) -> Plan:
    groups = tuple(dict.fromkeys(arguments.only or GROUPS))
    if strangers := [name for name in groups if name not in GROUPS]:
        raise UsageError(f"--only {strangers[0]}: there are {', '.join(GROUPS)}")
    prefix = arguments.remove
    if prefix and not (prefix.startswith(PREFIX) and len(prefix) > len(PREFIX)):
        raise UsageError(f"--remove {prefix}: must be {PREFIX} and what follows it")
    place, keys = _place(arguments), {"rest_key": "REST_API_KEY", "auth_key": "AUTH_KEY"}
    if not arguments.dry_run:
        keys = {"rest_key": _rest_key(arguments), "auth_key": ""}
        if not prefix:
            keys["auth_key"] = _secret(arguments, "auth_key", "Auth Key of the app (or nothing)")
    if keys["rest_key"] == keys["auth_key"]:
        raise UsageError("--rest-api-key and --auth-key must be two keys")
    more = {"prefix": prefix} if prefix else {}
    return Plan(
        place=place,
        read_only=arguments.read_only,
        groups=groups,
        timeout=arguments.timeout,
        **keys,
        **more,
    )


def _announced(plan: Plan) -> list[str]:
    told = [f"{plan.size} requests go to the app {plan.place.app_id} at {plan.place}"]
    if plan.read_only:
        return [*told, "they only read"]
    return [
        *told,
        f"they create users, roles and api keys named {plan.prefix}-…, and nothing else",
        "all of these are removed at the end",
    ]


def _left(run: Run) -> str:
    left = run.made.left
    if not left:
        return "nothing is left on the app"
    more = f"mockchat verify --remove {run.plan.prefix}, with the same app and key, removes it"
    return printable(f"perhaps left on the app: {', '.join(left)}; {more}")


def _tell(run: Run, arguments: argparse.Namespace) -> int:
    """Print and write the reports; return the exit status."""
    if arguments.json:
        say_json(report.document(run))
    else:
        from rich.console import Console  # noqa: PLC0415  # of the extra `verify`

        report.show(run, Console(highlight=False))
    try:
        if arguments.report:
            report.save(run, arguments.report)
            note(f"wrote {arguments.report}")
        if arguments.record:
            written = cassette.write(arguments.record, run)
            note(f"wrote {len(written)} cassettes in {arguments.record}")
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written: {error.strerror}") from None
    if run.made.left:
        note(_left(run))
    return int(not run.agrees)


# --- pull and push --------------------------------------------------------------------------
def pull(_action: Action, arguments: argparse.Namespace) -> int:
    """Write the users and roles of an app as a fixture."""
    _need("rich")
    side = _side(arguments)
    wish = Wish(
        app_id=side.place.app_id,
        friends=arguments.friends,
        anonymise=arguments.anonymise,
        limit=arguments.limit,
    )
    with _counting() as told:
        one = Pull(wish, Path(arguments.file), told)
        fixture = _run(one.run, side)
    if one.resumed:
        note(f"went on after the {one.resumed} users of an earlier pull")
    number, roles = len(fixture["users"]), len(fixture["roles"])
    note(f"wrote {arguments.file}: {number} users, {roles} roles beside the default one")
    return 0


def push(_action: Action, arguments: argparse.Namespace) -> int:
    """Import a fixture into an app."""
    _need("rich")
    seed = load_seed([arguments.fixture], [])
    side = _side(arguments)
    number = f"{len(seed.users)} users and {len(seed.roles)} roles"
    _confirm(
        arguments,
        [
            f"{number} of {arguments.fixture} go to the app {side.place.app_id} at {side.place}",
            "they stay there: mockchat has no command that removes them",
        ],
    )
    with _counting() as told:
        one = Push(seed, told)
        _run(one.run, side)
    for name, reason in one.refused.items():
        note(printable(f"{name} is refused: {reason}"))
    note(f"pushed {one.pushed} of {len(seed.users)} users")
    return int(bool(one.refused))


def _side(arguments: argparse.Namespace) -> Side:
    place = _place(arguments)
    return Side(place, {"rest_key": _rest_key(arguments), "app_id": place.app_id})
