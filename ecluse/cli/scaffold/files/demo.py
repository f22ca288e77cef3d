"""The whole way once: build, release, a refusal, an approval, a load."""

import shlex
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ecluse
from ecluse.cli.app import call

HERE = str(Path(__file__).parent)
VERSION = datetime.now(UTC).strftime("%Y.%m.%d.%H%M%S")


def run(*arguments: str) -> None:
    print("\n$ ecluse", shlex.join(arguments))
    code = call(["--project", HERE, *arguments])
    if code:
        sys.exit(code)


def load() -> None:
    print('\n>>> ecluse.load("clean.orders", purpose="first-look")')
    print(ecluse.load("clean.orders", purpose="first-look", project=HERE).pandas().to_string(index=False))


def main() -> None:
    run("run", "+clean.orders")
    run("quarantine", "show", "clean.orders")
    run("check", "clean.orders")
    run("release", "create", "clean.orders", "--version", VERSION)
    try:
        load()
    except ecluse.errors.Refused as refused:
        print(refused)
    until = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
    answer = ("--question", "data-valid", "--as", "p-1d5c", "--reason", "The one order below zero is held back.")
    run("approve", "clean.orders", "--version", VERSION, *answer, "--until", until, "--yes")
    load()
    run("report", "clean.orders", "--purpose", "first-look", "-o", str(Path(HERE) / "clean.orders.html"))
    run("log", "verify")


if __name__ == "__main__":
    main()
