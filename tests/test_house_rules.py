"""The rules of the house that a machine can hold: layers, who may know the time, broad excepts, sizes, docstrings, names,
and that everything has its test."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "concentrator"

BROAD_EXCEPTS = {
    "app/clocks.py": "a call's fault is not its neighbour's",
    "app/ordered.py": "a part's fault must not keep the others from starting and stopping in order",
    "hub/hub.py": "whoever listens must not stop the others",
    "line/line.py": "a dialect's own fault must not take the line down with it",
    "system/files.py": "whatever happens, the unfinished file is removed and the fault goes on",
    "uplink/paho_link.py": "paho is other people's code, fed with a stranger's bytes",
    "uplink/uploader.py": "uplinks and feeds may be other people's code, and delivering must go on",
}
LONGEST = 350
LONG_TABLES: dict[str, str] = {}
"""Modules that may be longer: pure tables and state machines, each with why."""

MEANINGLESS = {"Handler", "Processor", "Engine", "Manager", "Component", "Helper", "Helpers", "Util", "Utils", "Base"}
MEANINGLESS |= {"Impl", "Data", "Info"}

TESTED_ELSEWHERE: dict[str, str] = {}
"""Modules without a test file of their own, and where their promises are tested."""

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
SKIPPED = re.compile(r"\b(pytest\.(mark\.)?(skip|xfail)|skip" r"if|import" r"orskip|unittest\.skip|Skip" r"Test)")


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py"))


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


@cache
def parsed(path):
    return ast.parse(path.read_text(), str(path))


def nodes(path, *kinds):
    return [node for node in ast.walk(parsed(path)) if isinstance(node, kinds)]


each_module = pytest.mark.parametrize("path", modules(), ids=name_of)
each_module_but_app = pytest.mark.parametrize("path", [p for p in modules() if p.parent.name != "app"], ids=name_of)


def test_imports_point_down_only():
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout


@each_module_but_app
def test_only_the_app_knows_the_reactor(path):
    imported = {alias.name for node in nodes(path, ast.Import) for alias in node.names}
    imported |= {f"{node.module}.{alias.name}" for node in nodes(path, ast.ImportFrom) for alias in node.names}
    assert not {name for name in imported if name.startswith("twisted.internet.reactor")}


TELLING_TIME = {"time.time", "time.monotonic", "time.perf_counter", "time.sleep", "datetime.now", "datetime.utcnow"}
TELLING_TIME |= {"datetime.today", "date.today", "time.time_ns", "time.monotonic_ns"}
SURROUNDINGS = {"os.environ", "os.getenv"}


@each_module_but_app
def test_only_the_app_tells_the_time_or_reads_the_environment(path):
    used = {ast.unparse(node) for node in nodes(path, ast.Attribute)}
    used |= {f"{node.module}.{alias.name}" for node in nodes(path, ast.ImportFrom) for alias in node.names}
    found = {".".join(name.split(".")[-2:]) for name in used} & (TELLING_TIME | SURROUNDINGS)
    assert not found, f"{name_of(path)} uses {found}; time is handed in"


@each_module
def test_everything_is_caught_only_where_other_peoples_code_runs(path):
    def is_broad(caught):
        names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
        return any(isinstance(name, ast.Name) and name.id in ("Exception", "BaseException") for name in names)

    broad = [node for node in nodes(path, ast.ExceptHandler) if node.type is None or is_broad(node.type)]
    assert bool(broad) == (name_of(path) in BROAD_EXCEPTS)


@each_module
def test_a_module_is_short_or_a_table(path):
    length = len(path.read_text().splitlines())
    assert (length > LONGEST) == (name_of(path) in LONG_TABLES)


def is_public(node):
    """Whether people of the house call it: not what Twisted calls, which has Twisted's names."""
    return not node.name.startswith("_") and node.name == node.name.lower()


@each_module
def test_everything_public_says_what_it_is_for(path):
    tree = parsed(path)
    assert ast.get_docstring(tree), "the module"
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"class {node.name}"
            members = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
        else:
            members = [node] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []
        for member in filter(is_public, members):
            is_overload = any("overload" in ast.unparse(each) for each in member.decorator_list)
            is_setter = any(ast.unparse(each).endswith(".setter") for each in member.decorator_list)
            assert ast.get_docstring(member) or is_overload or is_setter, f"function {member.name}"


@each_module
def test_no_class_has_a_name_that_means_nothing(path):
    for node in nodes(path, ast.ClassDef):
        words = set(re.findall(r"[A-Z][a-z0-9]*", node.name))
        assert not words & MEANINGLESS, node.name


@each_module
def test_a_secret_is_in_no_repr(path):
    for node in nodes(path, ast.AnnAssign):
        name = ast.unparse(node.target)
        if re.search(r"(password|secret|passphrase)$", name) and isinstance(node.value, ast.Call):
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.value.keywords}
            assert keywords.get("repr") == "False" or keywords.get("is_secret") == "True", name
        elif re.search(r"(password|secret|passphrase)$", name):
            assert not is_in_a_class_with_repr(path, node), name


def is_in_a_class_with_repr(path, wanted):
    classes = [node for node in nodes(path, ast.ClassDef) if wanted in node.body]
    return any(
        "frozen" in ast.unparse(each) or "define" in ast.unparse(each) for c in classes for each in c.decorator_list
    )


def test_twisteds_own_packages_stay_twisteds():
    assert not list((ROOT / "twisted").rglob("__init__.py"))


def ours():
    """Every file that people write."""
    kinds = {".py", ".toml", ".cfg", ".md", ".sql", ".html", ".css", ".js", ".sh"}
    folders = ["concentrator", "tests", "bench", "docs", "plugins", "twisted", ".ci"]
    inside = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in kinds]
    return [path for path in [*inside, *ROOT.glob("*"), *ROOT.glob(".ci/*")] if path.is_file()]


def test_nothing_is_left_unfinished():
    left = [path for path in ours() if UNFINISHED.search(path.read_text(errors="replace"))]
    assert not left


def test_no_test_is_skipped():
    skipping = [path for path in (ROOT / "tests").rglob("*.py") if SKIPPED.search(path.read_text())]
    assert not skipping


def test_no_test_sleeps():
    sleeping = [
        path
        for path in (ROOT / "tests").rglob("*.py")
        if path != Path(__file__) and re.search(r"\btime\.sleep\(|from time import .*sleep", path.read_text())
    ]
    assert not sleeping


def test_every_module_has_its_test():
    tested = {path.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    lacking = []
    for path in modules():
        folder, stem = path.parent.relative_to(PACKAGE).as_posix(), path.stem
        own = re.compile(rf"{'' if folder == '.' else folder + '/'}test_{stem}(_\w+)?\.py")
        if stem != "__init__" and not any(own.fullmatch(test) for test in tested):
            lacking.append(name_of(path))
    assert set(lacking) == set(TESTED_ELSEWHERE)
    assert all((ROOT / "tests" / where).is_file() for where in TESTED_ELSEWHERE.values())


def test_every_package_says_what_it_is():
    folders = {path.parent for path in modules()}
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_the_page_of_settings_is_the_programs_own():
    from concentrator.app.settings_page import settings_page

    assert (ROOT / "docs" / "settings.md").read_text() == settings_page(), "run: make docs"
