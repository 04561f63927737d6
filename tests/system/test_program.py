"""concentrator.system.program: a real program in its own process, which says what the test wrote into it."""

import sys

import pytest
import pytest_twisted

from concentrator.model.errors import NoReply, TryLater
from concentrator.system.program import SAID_MOST, Program


@pytest.fixture
def program(tmp_path):
    """Makes a program of a few lines of Python."""

    def make(lines):
        from twisted.internet import reactor

        file = tmp_path / "mmcli"
        file.write_text(f"#!{sys.executable}\nimport json, sys, time\n{lines}\n")
        file.chmod(0o755)
        return Program(reactor, str(file), {}, "mmcli", "ModemManager")

    return make


@pytest_twisted.ensureDeferred
async def test_what_the_program_says_is_given(program):
    mmcli = program("print(json.dumps({'said': sys.argv[1:], 'text': 'größe'}))")
    assert await mmcli.ask("-m", "any") == {"said": ["-m", "any", "-J"], "text": "größe"}
    assert (await mmcli.say("-s", "a b")).startswith('{"said": ["-s", "a b"]')


@pytest_twisted.ensureDeferred
async def test_what_the_program_complains_of_is_its_error(program):
    mmcli = program("sys.exit('noise\\nerror: couldn\\'t find modem')")
    with pytest.raises(TryLater, match="couldn't find modem"):
        await mmcli.ask("-m", "any")


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("said", ["not JSON", "[" * 100_000])
async def test_what_is_no_json_is_an_error(program, said):
    with pytest.raises(TryLater, match="no JSON"):
        await program(f"print({said!r})").ask("-L")


@pytest_twisted.ensureDeferred
async def test_what_is_no_object_is_nothing(program):
    assert await program("print('[1, 2]')").ask("-L") == {}


@pytest_twisted.ensureDeferred
async def test_of_a_program_that_talks_without_end_little_is_kept(program):
    said = await program("sys.stdout.write('x' * 3_000_000)").say("-L")
    assert len(said) == SAID_MOST


@pytest_twisted.ensureDeferred
async def test_a_program_that_does_not_end_is_ended(program):
    mmcli = program("print('begun', flush=True); sys.stdin.read()")
    with pytest.raises(NoReply, match="did not end within"):
        await mmcli.say("-L", timeout_s=0.5)


@pytest_twisted.ensureDeferred
async def test_a_program_that_is_not_there_is_told():
    with pytest.raises(TryLater, match="mmcli is not installed; it comes with ModemManager"):
        await Program(None, None, {}, "mmcli", "ModemManager").ask("-L")


@pytest_twisted.ensureDeferred
async def test_calls_go_one_after_another(program, tmp_path):
    log = tmp_path / "log"
    mmcli = program(f"f = open({str(log)!r}, 'a'); f.write('in '); f.flush(); f.write('out '); f.close()")
    calls = [mmcli.say("-L") for _ in range(4)]
    for call in calls:
        await call
    assert log.read_text() == "in out " * 4


@pytest_twisted.ensureDeferred
async def test_at_the_end_nothing_that_waited_is_begun(program, tmp_path):
    begun = tmp_path / "begun"
    mmcli = program(f"open({str(begun)!r}, 'a').write('x'); sys.stdin.read()")
    calls = [mmcli.say("-L") for _ in range(3)]
    mmcli.stop()
    for call in calls:
        with pytest.raises(TryLater):
            await call
    with pytest.raises(TryLater, match="let go"):
        await mmcli.say("-L")
    assert not begun.exists() or begun.read_text() == "x"


@pytest_twisted.ensureDeferred
async def test_a_program_that_is_gone_is_told_and_leaves_no_timer(tmp_path):
    from twisted.internet import reactor

    before = len(reactor.getDelayedCalls())
    with pytest.raises(TryLater, match="mmcli cannot be run"):
        await Program(reactor, str(tmp_path / "mmcli"), {}, "mmcli", "ModemManager").ask("-L")
    assert len(reactor.getDelayedCalls()) == before
