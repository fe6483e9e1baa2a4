"""What holds for every test: the order of the slices, no network, and a plain closing account."""

import asyncio
import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import coverage
import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ROOT: Final = Path(__file__).parent.parent
SHARED: Final = Path(os.environ.get("AMANA_SHARED", ROOT.parent / "shared"))

SLICES: Final = (
    ("architecture", ("architecture",)),
    ("fast", ("kernel", "wire", "storage", "events", "trust", "people", "payments", "purse")),
    ("engines", ("ledger",)),
    ("replay", ("demo",)),
    ("coverage floor", ("test_coverage_floor.py",)),
    ("browser", ("browser",)),
    ("simulation", ("simulation", "audit")),
    ("whole replays", ("test_replay_months.py", "test_replay_kill.py")),
    ("other wallets", ("interop",)),
    ("docs", ("docs",)),
    ("vet", ("vet",)),
    ("HTTP", ("node", "cli", "faults")),
    ("long", ("long",)),
)
"""Slices in the order they run, each with the folders (or the file) of its tests.

What takes longest comes first after the floor, so that processes side by side end together."""

_FLOOR: Final = [name for name, _ in SLICES].index("coverage floor")
"""The last slice that is traced. What is traced runs in one process, in order; the slices after it
are free to run beside it, file by file, where `-n` says so."""

_RANKS: Final = {folder: rank for rank, (_, folders) in enumerate(SLICES) for folder in folders}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_NOT_BUILT: Final = "not built"
_ALLOCATIONS_A_LOOK: Final = 20_000

# Coverage begins before the product is imported, so that definitions count too; it ends with the
# test that compares it with the floor, so that slow slices run untraced.
_COVERAGE: Final = (
    coverage.Coverage(config_file=str(ROOT / "pyproject.toml"), data_file=None)
    if os.environ.get("AMANA_COVERAGE")
    else None
)
if _COVERAGE is not None:
    _COVERAGE.start()

hypothesis.settings.register_profile(
    # A shared machine may pause at any time; that is no fault of the code under test.
    "amana",
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("amana")


class Account:
    """What ran, for the lines at the end."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.tests: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.skipped: list[tuple[str, str]] = []
        self.engines: dict[str, bool] = {}


_account: Final = Account()


def slice_rank(item_path: Path) -> int:
    """Return the place of a test file in the order of slices; unknown folders count as fast."""
    parts = item_path.relative_to(ROOT / "tests").parts
    return _RANKS.get(parts[-1], _RANKS.get(parts[0], 1))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes golden files."""
    parser.addoption("--write-golden", action="store_true", help="write the golden files anew")


class _Together(LoadScopeScheduling):
    """Keeps what is traced in one process, and each file of the rest."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return "core" if slice_rank(ROOT / path) <= _FLOOR else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _Together:
    """Say which tests stay together."""
    return _Together(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the random order within each slice, and put the slices in theirs."""
    absent: list[pytest.Item] = []
    if not SHARED.is_dir():
        absent += [item for item in items if item.get_closest_marker("shared")]
        _account.left_out["reference data (set AMANA_SHARED)"] += len(absent)
    if _COVERAGE is None:
        absent += [item for item in items if item.path.name == "test_coverage_floor.py"]
    if absent:
        config.hook.pytest_deselected(items=absent)
    left_out = set(absent)
    items[:] = sorted(
        (item for item in items if item not in left_out), key=lambda item: slice_rank(item.path)
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Stop tracing where the traced slices end."""
    if _COVERAGE is not None and slice_rank(item.path) >= _FLOOR:
        _COVERAGE.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """Fail a file that leaves an event loop running: the next one could start none."""
    yield
    if nextitem is None or nextitem.path != item.path:
        assert asyncio._get_running_loop() is None, "this file left an event loop running"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count time and outcome by slice, and by engine where the test names one."""
    name = SLICES[slice_rank(ROOT / report.nodeid.partition("::")[0])][0]
    _account.seconds[name] += int(report.duration * 1_000)
    if report.when == "call":
        _account.tests[name] += 1
    for engine in ("memory", "sqlite", "postgresql", "tigerbeetle"):
        if name == "engines" and engine in report.nodeid.lower() and not report.skipped:
            _account.engines[engine] = _account.engines.get(engine, True) and report.passed
    if report.skipped and isinstance(report.longrepr, tuple) and not hasattr(report, "wasxfail"):
        _account.skipped.append((report.nodeid, report.longrepr[2]))


def forbidden_skips(skipped: Sequence[tuple[str, str]], *, is_ci: bool) -> list[str]:
    """Return the tests that CI may not leave out: all but engines that are stated as not built."""
    if not is_ci:
        return []
    return [f"{test}: {reason}" for test, reason in skipped if _NOT_BUILT not in reason]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in CI that left a test out; a process beside others tells what it left out."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = dict(_account.left_out)
    is_ci = os.environ.get("CI") == "true"
    if session.exitstatus == 0 and forbidden_skips(_account.skipped, is_ci=is_ci):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


class _OtherProcesses:
    """Hears what processes beside this one left out: each collects the same tests."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        _account.left_out |= Counter(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let garbage be looked for seldom, and never among what is there before the first test."""
    del session
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_A_LOOK)


def pytest_configure(config: pytest.Config) -> None:
    """Listen to the processes that run tests beside this one."""
    config.pluginmanager.register(_OtherProcesses())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which suites and engines ran, which did not, and how long each slice took."""
    write = terminalreporter.write_line
    ran = [name for name, _ in SLICES if _account.tests[name]]
    write("")
    for name in ran:
        write(f"{name:<16}{_account.tests[name]:>6} tests {_account.seconds[name] / 1_000:>8.1f} s")
    if _account.engines:
        words = {True: "✓", False: "✗ FAILED"}
        lines = [f"{engine} {words[passed]}" for engine, passed in _account.engines.items()]
        lines += [
            f"{engine} {_NOT_BUILT}"
            for engine in ("postgresql", "tigerbeetle")
            if engine not in _account.engines
        ]
        write(f"engines: {' · '.join(lines)}")
    for what, count in _account.left_out.items():
        if count:
            write(f"LEFT OUT: {count} tests, {what}")
    for line in forbidden_skips(_account.skipped, is_ci=os.environ.get("CI") == "true"):
        write(f"SKIPPED IN CI, SO THIS RUN FAILS: {line}")
    suites = " · ".join(ran) or "none"
    write(f"suites that ran: {suites}")


def _refuse_strangers(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse to speak to anybody but this machine."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    else:
        return
    text = host.decode() if isinstance(host, bytes) else host
    if text is None or text in _LOOPBACK or not isinstance(text, str) or _is_here(text):
        return
    raise RuntimeError(f"a test may speak to this machine only, not to {text}")


def _is_here(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


sys.addaudithook(_refuse_strangers)


@pytest.fixture(scope="session")
def traced() -> Iterator[coverage.Coverage]:
    """The coverage of everything that ran before."""
    assert _COVERAGE is not None, "set AMANA_COVERAGE=1, as make test does"
    yield _COVERAGE
    _COVERAGE.erase()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with its golden file, or write the file under `make golden`."""

    def compare(name: str, text: str) -> None:
        path = ROOT / "tests" / "golden" / name
        if request.config.getoption("--write-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"{path.name} is not there yet; `make golden` writes it"
        assert path.read_text(encoding="utf-8") == text, f"{path.name} differs; see `make golden`"

    return compare
