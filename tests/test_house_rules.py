"""The rules of the house that a machine can hold: layers, who may know the time, broad excepts, sizes, docstrings,
names, and that everything has its test. Each test lists the offenders."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "concentrator"

BROAD_EXCEPTS = {
    "app/clocks.py": "a call's fault is not its neighbour's",
    "app/ordered.py": "a part's fault must not keep the others from starting and stopping in order",
    "hub/hub.py": "whoever listens must not stop the others",
    "line/arrivals.py": "as the reactor does: one wire's fault is not another's",
    "line/line.py": "a dialect's own fault must not take the line down with it",
    "system/files.py": "whatever happens, the unfinished file is removed and the fault goes on",
    "uplink/paho_link.py": "paho is other people's code, fed with a stranger's bytes",
    "uplink/lane.py": "uplinks and feeds may be other people's code, and delivering must go on",
}
LONGEST = 350
LONG_TABLES: dict[str, str] = {}
"""Modules that may be longer: pure tables and state machines, each with why."""

MEANINGLESS = {"Handler", "Processor", "Engine", "Manager", "Component", "Helper", "Helpers", "Util", "Utils", "Base"}
MEANINGLESS |= {"Impl", "Data", "Info"}

TESTED_ELSEWHERE = {
    "actions/mbus.py": "app/test_mbus.py",
    "actions/certificates.py": "app/test_certificates.py",
    "actions/commissioning.py": "app/test_services.py",
    "actions/parts.py": "actions/test_history.py",
    "actions/standing.py": "app/test_services.py",
    "actions/smartgen.py": "app/test_clouds.py",
    "api.py": "dialect/test_modbus.py",
    "app/actions.py": "app/test_commands_page.py",
    "app/assembly.py": "whole/test_kill.py",
    "app/circumstances.py": "app/test_front.py",
    "app/cli_export.py": "app/test_export.py",
    "app/cli_parts.py": "app/test_cli_field.py",
    "app/cloud_controller.py": "app/test_cloud_ports.py",
    "app/config_file.py": "app/test_devices.py",
    "app/config_rules.py": "app/test_config.py",
    "app/config_sections.py": "app/test_config.py",
    "app/config_services.py": "app/test_config.py",
    "app/config_uplinks.py": "app/test_config.py",
    "app/config_web.py": "app/test_config.py",
    "app/demo_audience.py": "test_packaging.py",
    "app/demo_options.py": "app/test_cli.py",
    "app/doors.py": "app/test_tap.py",
    "app/inboxes.py": "whole/test_commands.py",
    "app/launch.py": "app/test_cli.py",
    "app/programs.py": "app/test_modems.py",
    "app/recognising.py": "app/test_identify.py",
    "app/simulate_options.py": "app/test_simulate.py",
    "app/simulate_mbus.py": "poll/test_mbus_search.py",
    "app/uplinks.py": "whole/test_outages.py",
    "app/wires.py": "app/test_field.py",
    "genset/history.py": "app/test_clouds.py",
    "genset/life.py": "genset/test_session.py",
    "genset/terms.py": "genset/test_session.py",
    "genset/upload.py": "genset/test_session.py",
    "hub/latest.py": "hub/test_hub.py",
    "journal/carry.py": "journal/test_salvage.py",
    "journal/counts.py": "journal/test_journal.py",
    "journal/intent.py": "journal/test_file_feed.py",
    "journal/mark.py": "journal/test_disk_faults.py",
    "journal/late.py": "journal/test_packed.py",
    "journal/names.py": "journal/test_journal.py",
    "journal/opening.py": "journal/test_journal.py",
    "journal/room.py": "journal/test_disk_faults.py",
    "journal/runs.py": "journal/test_blocks.py",
    "journal/seal.py": "journal/test_blocks.py",
    "journal/shelf.py": "journal/test_compact.py",
    "journal/tables.py": "journal/test_journal.py",
    "journal/volume.py": "journal/test_journal.py",
    "journal/wreck.py": "journal/test_salvage.py",
    "line/exchange.py": "line/test_line.py",
    "line/outlet.py": "mbusgate/test_gateway_on_ports.py",
    "line/reopen.py": "line/test_line.py",
    "line/serial_address.py": "line/test_endpoint.py",
    "line/statistics.py": "line/test_books.py",
    "line/trace.py": "line/test_books.py",
    "mbusgate/client.py": "mbusgate/test_gateway_on_ports.py",
    "mbusgate/life.py": "mbusgate/test_gateway.py",
    "mbusgate/passage.py": "mbusgate/test_gateway.py",
    "mbusgate/terms.py": "mbusgate/test_gateway.py",
    "mbusgate/tls.py": "mbusgate/test_gateway_on_ports.py",
    "model/device.py": "app/test_config.py",
    "model/reading.py": "hub/test_hub.py",
    "model/words.py": "profile/test_schema.py",
    "model/genset_rules.py": "profile/test_genset_rules.py",
    "poll/controller.py": "poll/test_orders.py",
    "poll/enquiry.py": "poll/test_scan.py",
    "poll/link_life.py": "poll/test_link_mode.py",
    "poll/permits.py": "poll/test_orders.py",
    "poll/recovery.py": "poll/test_link_mode.py",
    "poll/registrar.py": "poll/test_link_mode.py",
    "poll/slots.py": "poll/test_link_mode.py",
    "portal/config_form.py": "portal/pages/test_services.py",
    "portal/mbus_cells.py": "portal/pages/test_mbus_meters.py",
    "portal/telegrams.py": "portal/pages/test_mbus_meters.py",
    "portal/trial.py": "portal/pages/test_services.py",
    "sim/exchange.py": "sim/test_bus.py",
    "sim/field.py": "sim/test_slave.py",
    "sim/pattern.py": "sim/test_slave.py",
    "sim/premises.py": "sim/test_curve.py",
    "sim/registers.py": "sim/test_meter.py",
    "sim/voice.py": "sim/test_bus.py",
    "sms/life.py": "sms/test_at_sms.py",
    "sms/terms.py": "sms/test_outbox.py",
    "system/files.py": "system/test_identity.py",
    "uplink/delivery.py": "uplink/test_ftp_servers.py",
    "uplink/ftp_wire.py": "uplink/test_ftp_servers.py",
    "uplink/remembered.py": "uplink/test_commands.py",
    "profile/keys.py": "profile/test_schema.py",
    "profile/mbus.py": "dialect/test_mbus.py",
    "web/conduct.py": "web/test_channel.py",
    "wire/checksum.py": "wire/test_modbus.py",
    "wire/mbus_number.py": "wire/test_mbus_record.py",
    "wire/mbus_units.py": "wire/test_mbus_record.py",
    "wire/mbus_value.py": "wire/test_mbus_record.py",
    "wire/smartgen_server.py": "wire/test_smartgen.py",
}
"""Modules without a test file of their own, and where their promises are tested."""

TELLING_TIME = {"time.time", "time.monotonic", "time.perf_counter", "time.sleep", "time.time_ns", "time.monotonic_ns"}
TELLING_TIME |= {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
SURROUNDINGS = {"os.environ", "os.getenv"}

SECRET = re.compile(r"(?!is_)\w*(password|secret|passphrase)")
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


def test_imports_point_down_only():
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout


def outside_app():
    return [path for path in modules() if path.parent.name != "app"]


def imported(path):
    """Everything a module imports, by its full name."""
    names = {alias.name for node in nodes(path, ast.Import) for alias in node.names}
    return names | {f"{node.module}.{alias.name}" for node in nodes(path, ast.ImportFrom) for alias in node.names}


def test_only_the_app_knows_the_reactor():
    assert not [name_of(path) for path in outside_app() if "twisted.internet.reactor" in imported(path)]


def test_only_the_app_tells_the_time_or_reads_the_environment():
    offenders = {}
    for path in outside_app():
        used = imported(path) | {ast.unparse(node) for node in nodes(path, ast.Attribute)}
        found = {".".join(name.split(".")[-2:]) for name in used} & (TELLING_TIME | SURROUNDINGS)
        if found:
            offenders[name_of(path)] = found
    assert not offenders


def test_everything_is_caught_only_where_other_peoples_code_runs():
    def is_broad(caught):
        names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
        return caught is None or any(ast.unparse(name) in ("Exception", "BaseException") for name in names)

    broad = {name_of(p) for p in modules() for node in nodes(p, ast.ExceptHandler) if is_broad(node.type)}
    assert broad == set(BROAD_EXCEPTS)


def test_nothing_shared_is_added_to_across_a_wait():
    """`a.b += await c` reads `a.b` before it waits: what others added to it meanwhile is lost."""
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in modules()
        for node in nodes(path, ast.AugAssign)
        if not isinstance(node.target, ast.Name) and any(isinstance(each, ast.Await) for each in ast.walk(node.value))
    ]
    assert found == []


def test_a_module_is_short_or_a_table():
    assert {name_of(path) for path in modules() if len(path.read_text().splitlines()) > LONGEST} == set(LONG_TABLES)


def public_members(tree):
    """Functions, methods and classes that people of the house call: not what Twisted calls, which has its names."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    members = [each for owner in (tree, *classes) for each in owner.body if isinstance(each, functions)]
    return classes + [each for each in members if not each.name.startswith("_") and each.name == each.name.lower()]


def test_everything_public_says_what_it_is_for():
    silent = [name_of(path) for path in modules() if not ast.get_docstring(parsed(path))]
    for path in modules():
        for each in public_members(parsed(path)):
            is_setter = any(ast.unparse(decorator).endswith(".setter") for decorator in each.decorator_list)
            if not ast.get_docstring(each) and not is_setter:
                silent.append(f"{name_of(path)}: {each.name}")
    assert not silent


def test_no_class_has_a_name_that_means_nothing():
    names = {node.name for path in modules() for node in nodes(path, ast.ClassDef)}
    assert not {name for name in names if MEANINGLESS & set(re.findall(r"[A-Z][a-z0-9]*", name))}


def test_a_secret_is_in_no_repr():
    shown = []
    for path in modules():
        for owner in nodes(path, ast.ClassDef):
            is_attrs = any(re.match("frozen|define", ast.unparse(each)) for each in owner.decorator_list)
            for each in owner.body if is_attrs else ():
                if isinstance(each, ast.AnnAssign) and SECRET.fullmatch(ast.unparse(each.target)):
                    keywords = each.value.keywords if isinstance(each.value, ast.Call) else []
                    said = {(keyword.arg, ast.unparse(keyword.value)) for keyword in keywords}
                    if not said & {("repr", "False"), ("is_secret", "True")}:
                        shown.append(f"{name_of(path)}: {owner.name}.{ast.unparse(each.target)}")
    assert not shown


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
    tests = (ROOT / "tests").rglob("*.py")
    used = {path: imported(path) | {ast.unparse(node.func) for node in nodes(path, ast.Call)} for path in tests}
    sleeping = [path for path, names in used.items() if "time.sleep" in names]
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
