"""`twistd ccmaster`: its options, and the service they make. Hides what must happen before anything else: the reactor's
clock made monotonic, and a file with faults refused whole."""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python import usage

from concentrator.app import DEFAULT_CONFIG, garbage
from concentrator.app.clocks import Started, make_monotonic, program
from concentrator.app.light_reactor import import_reactor
from concentrator.model.errors import ConcentratorError, ConfigError

EXIT_FAULTS = 2

log = Logger()


class Options(usage.Options):  # type: ignore[misc]  # Twisted does not say what it inherits from
    """What `twistd ccmaster` takes."""

    synopsis = "[--config FILE]"
    longdesc = "Runs the concentrator of a configuration file. `ccmaster check FILE` says what would run."
    optParameters = (("config", "c", DEFAULT_CONFIG, "The configuration file."),)  # noqa: N815 - Twisted's name


def makeService(options: Options) -> IService:  # noqa: N802 - Twisted's name
    """The service of a configuration file. With a file that has faults, prints every one of them and exits with status
    2 before anything is started."""
    started = Started()
    garbage.nothing_yet()
    reactor = import_reactor()

    from concentrator.app.assembly import Box
    from concentrator.app.config import load_checked

    make_monotonic(reactor)
    try:
        config, catalogue = load_checked(Path(str(options["config"])))
        for warning in config.warnings:
            log.warn("{warning}", warning=warning)
        box = Box(config, catalogue, reactor, started)
    except ConfigError as error:
        print("\n".join(map(str, error.faults)), file=sys.stderr)
        raise SystemExit(EXIT_FAULTS) from None
    except (ConcentratorError, OSError) as error:
        print(f"ccmaster: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    log.info("{program}, serial {serial}", program=program(), serial=box.serial)
    return box.service()
