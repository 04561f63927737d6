"""Forms with files in them (multipart/form-data, RFC 7578). Hides the parser, which is loaded only when such a form
comes."""

from __future__ import annotations

from typing import BinaryIO

from attrs import define, field, frozen

PARTS_MOST = 500


@frozen
class Upload:
    """A file that came with a form: how it was called where it came from, and what is in it."""

    name: str
    content: bytes = field(repr=False)


@define
class Parts:
    """What came: fields and files by name, each in the order it came."""

    fields: dict[str, list[str]] = field(factory=dict)
    files: dict[str, list[Upload]] = field(factory=dict)


def parts_of(content_type: str, body: BinaryIO, longest: int) -> Parts | None:
    """The parts of a body of at most `longest` bytes, from where it stands; None where it is no such form. A file's
    field in which none was chosen is left out."""
    from multipart import MultipartError, MultipartParser, parse_options_header

    kind, options = parse_options_header(content_type)
    if kind.lower() != "multipart/form-data" or not options.get("boundary"):
        return None
    found = Parts()
    try:
        parser = MultipartParser(
            body,
            options["boundary"],
            strict=True,
            part_limit=PARTS_MOST,
            partsize_limit=longest,
            spool_limit=longest + 1,  # never to the disk
            memory_limit=longest + 1,
        )
        for part in parser:
            if part.filename is None:
                found.fields.setdefault(part.name, []).append(part.value)
            elif part.filename:
                found.files.setdefault(part.name, []).append(Upload(_alone(part.filename), part.raw))
    except (MultipartError, ValueError):
        return None
    return found


def _alone(name: str) -> str:
    """The name of a file without the folders some browsers send with it."""
    return name.replace("\\", "/").rpartition("/")[2]
