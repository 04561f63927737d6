"""The tokens of the API as they are kept on this box, in a file only the program's own user may read."""

from __future__ import annotations

from pathlib import Path

from twisted.logger import Logger

from concentrator.system.files import write_whole
from concentrator.web.tokens import Tokens

FILE = "tokens.json"

log = Logger()


def open_tokens(state_dir: Path) -> Tokens:
    """Those that are kept. Where the file cannot be read it is left as it is, nobody comes in by a token, and none can
    be made."""
    file = state_dir / FILE
    tokens = Tokens(lambda content: write_whole(file, content, 0o600))
    try:
        if file.exists():
            tokens.load(file.read_bytes())
    except (OSError, ValueError) as error:
        log.error("the API takes no tokens: {file}: {error}", file=str(file), error=error)
        return Tokens(_refuses)
    return tokens


def _refuses(content: bytes) -> None:
    raise OSError("the file of the tokens is damaged")
