"""The vendor's Android SDK on a plain JVM: its unmodified classes, stand-ins for Android's."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple
from zipfile import ZipFile

HERE = Path(__file__).parent
JARS = [Path("/usr/share/java", f"{name}.jar") for name in ("okhttp", "okio", "com.android.json")]
JARS.append(Path("/usr/share/java/sqlite-jdbc.jar"))
FIRST = (3, 0, 0)  # 2.x speaks XMPP
LIMIT = 30  # seconds that a callback may take; the SDK waits 15 for an answer
JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # it lives for seconds
PASSWORD = "changeit"


class Sdk(NamedTuple):
    """One version of the SDK, ready to run."""

    name: str
    classpath: str
    has_overrides: bool


def archives_in(source: Path) -> Iterator[tuple[str, bytes]]:
    """The name and content of an `.aar` file, or of the one of every tag from 3.0.0 on."""
    if source.is_file():
        yield source.stem, source.read_bytes()
        return
    tags = git(source, "tag", "--list").decode().split()
    for tag in sorted((tag for tag in tags if version(tag)[:3] >= FIRST), key=version):
        files = git(source, "ls-tree", "-r", "--name-only", tag).decode().splitlines()
        yield tag, git(source, "show", f"{tag}:{next(f for f in files if f.endswith('.aar'))}")


def git(repository: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def version(tag: str) -> tuple[float, ...]:
    """A key that sorts tags; a beta comes before its version."""
    major, minor, patch, *beta = map(int, re.findall(r"\d+", tag))
    return (major, minor, patch, beta[0] if beta else float("inf"))


def build_stubs(folder: Path) -> Path:
    """Compile Android's stand-ins; returns the folder of their classes."""
    sources = []
    text = "".join(file.read_text() for file in sorted(HERE.glob("*.stubs")))
    for stub in re.findall(r"^package .*?(?=^package |^//|\Z)", text, re.MULTILINE | re.DOTALL):
        package, name = re.findall(
            r"^(?:package|public (?:abstract )?(?:class|interface)) ([\w.]+)", stub, re.MULTILINE
        )
        source = folder / "src" / package.replace(".", "/") / f"{name}.java"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(stub)
        sources.append(source)
    javac(folder / "stubs", "", sources)
    return folder / "stubs"


def build(name: str, archive: bytes, stubs: Path) -> Sdk:
    """Unpack the SDK's classes and compile the driver against them, beside the stand-ins."""
    folder = stubs.with_name(name)
    folder.mkdir()
    jar = ZipFile(BytesIO(archive)).read("classes.jar")
    (folder / "sdk.jar").write_bytes(jar)
    classes = ZipFile(BytesIO(jar))
    (builder,) = [
        n for n in classes.namelist() if n.endswith("/AppSettings$AppSettingsBuilder.class")
    ]
    package = builder.partition("/core/")[0].replace("/", ".")
    driver = folder / "Driver.java"
    driver.write_text((HERE / "Driver.java").read_text().replace("PACKAGE", package))
    classpath = ":".join(map(str, [stubs, folder / "sdk.jar", *JARS]))
    javac(folder / "driver", classpath, [driver])
    has_overrides = b"overrideAdminHost" in classes.read(builder)
    return Sdk(name, f"{folder / 'driver'}:{classpath}", has_overrides)


def javac(target: Path, classpath: str, sources: list[Path]) -> None:
    options = ["-J-XX:TieredStopAtLevel=1", "-nowarn", "-XDsuppressNotes"]
    command = ["javac", *options, "-d", str(target), "-cp", classpath, *map(str, sources)]
    subprocess.run(command, check=True)


def trust_store(ca: Path, folder: Path) -> list[str]:
    """The options of a JVM that trusts this CA alone."""
    store = str(folder / "trust.p12")
    command = ["keytool", "-importcert", "-noprompt", "-file", str(ca), "-keystore", store]
    subprocess.run([*command, "-storepass", PASSWORD], check=True, stderr=subprocess.PIPE)
    return [
        f"-Djavax.net.ssl.{key}={value}"
        for key, value in {"trustStore": store, "trustStorePassword": PASSWORD}.items()
    ]


class App(NamedTuple):
    """An app in which the SDK is: takes commands, answers with what the SDK called back with."""

    commands: IO[str]
    answers: IO[str]

    def __call__(self, command: str) -> str:
        with suppress(BrokenPipeError):
            self.commands.write(f"{command}\n")
            self.commands.flush()
            if answer := self.answers.readline():
                return answer.rstrip("\n")
        return "CRASHED"


@contextmanager
def app(sdk: Sdk, options: list[str], storage: Path, limit: int) -> Iterator[App]:
    """Start an app; it is killed at the end, and what it stored stays, its log too."""
    command = ["java", *JVM, *options, "-cp", sdk.classpath, "Driver"]
    storage.mkdir(exist_ok=True)
    with (storage / "log.txt").open("a") as log:
        process = subprocess.Popen(
            [*command, str(storage), str(limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdin
    assert process.stdout
    try:
        yield App(process.stdin, process.stdout)
    finally:
        process.kill()
        process.communicate()
