"""What contributors and CI run. Without arguments: all that should pass before a commit."""

import re
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["format", "lint", "types", "unit"]

CODE = ("src", "tests", "migrations", "benchmarks", "tools", "noxfile.py")


@nox.session
def format(session: nox.Session) -> None:  # noqa: A001 - what it does
    """Bring the code into its form."""
    session.run("ruff", "format", *CODE)
    session.run("ruff", "check", "--fix-only", "--quiet", *CODE)


@nox.session
def lint(session: nox.Session) -> None:
    """Check form, style and import contracts; changes nothing."""
    session.run("ruff", "format", "--check", *CODE)
    session.run("ruff", "check", *CODE)
    session.run("lint-imports", env={"PYTHONPATH": "."})


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly."""
    session.run("mypy")


@nox.session
def unit(session: nox.Session) -> None:
    """Run the tests that need nothing but Python."""
    session.run("pytest", "tests/unit", *session.posargs)


@nox.session
def integration(session: nox.Session) -> None:
    """Run all other tests, on a throwaway PostgreSQL."""
    session.run("pytest", "-n", "auto", "tests/contracts", "tests/integration", *session.posargs)


@nox.session
def migrations(session: nox.Session) -> None:
    """Run the tests of the migrations: up, down and up again."""
    session.run("pytest", "tests/integration/test_running.py", "-k", "migrat", *session.posargs)


@nox.session
def clients(session: nox.Session) -> None:
    """Generate clients of the OpenAPI document and use them; needs npm, and fails without."""
    session.run(
        "pytest", "tests/integration/test_clients.py", *session.posargs, env={"CMS_TEST_CLIENTS": "1"}
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Measure reads against their bare twins, and what a save costs on disk; takes some minutes."""
    session.run("python", "-m", "benchmarks.reads", *session.posargs)
    session.run("python", "-m", "benchmarks.storage")


@nox.session
def bench_coherence(session: nox.Session) -> None:
    """Publish at random through one of four workers, read through all; prints the delay of notifications."""
    session.run("python", "-m", "benchmarks.coherence", *session.posargs)


@nox.session
def bench_memory(session: nox.Session) -> None:
    """Load one worker for ten minutes with a full cache; prints its memory."""
    session.run("python", "-m", "benchmarks.memory", *session.posargs)


@nox.session
def bench_schedules(session: nox.Session) -> None:
    """Have 10,000 posts due at once, kill two of four workers; takes some minutes."""
    session.run("python", "-m", "benchmarks.schedules", *session.posargs)


@nox.session
def bench_tree(session: nox.Session) -> None:
    """Move and publish the root of 10,000 live pages; takes some minutes."""
    session.run("python", "-m", "benchmarks.tree", *session.posargs)


@nox.session
def bench_modelling(session: nox.Session) -> None:
    """Measure run-time types beside structs by hand and beside posts, and fill a model; takes some minutes."""
    session.run("python", "-m", "benchmarks.modelling", *session.posargs)


@nox.session
def pin(session: nox.Session) -> None:
    """Write the exact versions down anew: with hashes in requirements/, as constraints in pyproject.toml."""
    if "--upgrade" in session.posargs:
        _constrain([])
        session.run("uv", "lock", "--upgrade", external=True)
    export = ("uv", "export", "--quiet", "--no-emit-project", "--no-annotate", "--no-header")
    for name, groups in {"dev": (), "run": ("--no-dev",)}.items():
        session.run(*export, *groups, "-o", f"requirements/{name}.txt", external=True, silent=True)
        text = Path(f"requirements/{name}.txt").read_text()
        if "://" in text:
            session.error(f"requirements/{name}.txt names a host")
    _constrain(re.findall(r"^(\S+==[^\\\n]+?) *\\?$", Path("requirements/dev.txt").read_text(), re.MULTILINE))


def _constrain(pins: list[str]) -> None:
    path = Path("pyproject.toml")
    listed = "".join(f'    "{pin}",\n' for pin in sorted(set(pins)))
    block = f"constraint-dependencies = [\n{listed}]\n"
    path.write_text(
        re.sub(r"constraint-dependencies = \[\n.*?\]\n", lambda _: block, path.read_text(), flags=re.DOTALL)
    )
