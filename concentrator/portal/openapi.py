"""The REST API as an OpenAPI document, made from the action table, so that it says what is there and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from concentrator.portal.rest import READS, STATUS

_PROBLEMS = sorted({*STATUS.values()})
_LONG = frozenset({HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.INTERNAL_SERVER_ERROR})


def document(actions: Sequence[Mapping[str, Any]], version: str) -> dict[str, object]:
    """The document, for the actions as the table describes them and a version of the program."""
    by_name = {action["name"]: action for action in actions}
    paths = {
        **{
            _address(path): {"get": _read(path, *found, by_name)}
            for path, found in READS.items()
            if found[0] in by_name
        },
        "/history": {"get": _HISTORY},
        "/events": {"get": _EVENTS},
        **{f"/actions/{name}": {"post": _act(action)} for name, action in sorted(by_name.items())},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CcMaster",
            "version": version,
            "description": "What can be asked of the box. Reads have addresses of their own; everything, reads too, is "
            "an action that is posted to. A token allows classes of actions; the class of each is in its description.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": _PROBLEM},
        },
    }


_PROBLEM: Mapping[str, object] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "enum": [*STATUS, "failed"]},
                "message": {"type": "string"},
            },
        }
    },
}


def _problems(statuses: Iterable[int]) -> dict[str, object]:
    said = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(int(each)): {"description": HTTPStatus(each).phrase, "content": said} for each in sorted(statuses)}


def _answers(content: Mapping[str, object], statuses: Iterable[int]) -> dict[str, object]:
    return {"200": {"description": "What was asked for.", "content": content}, **_problems(statuses)}


def _address(path: Sequence[str]) -> str:
    name = READS[tuple(path)][1]
    return "/" + "/".join(f"{{{name}}}" if part == "*" else part for part in path)


def _read(
    path: Sequence[str], action: str, argument: str, further: Sequence[str], by_name: Mapping[str, Any]
) -> dict[str, object]:
    properties = by_name[action]["arguments"]["properties"]
    named = [(argument, "path", True)] * bool(argument) + [(name, "query", False) for name in further]
    return {
        "operationId": ".".join(("get", *(part for part in path if part != "*"), *([argument] * bool(argument)))),
        "summary": by_name[action]["summary"],
        "description": f"Class {by_name[action]['permission']}.",
        "parameters": [
            {
                "name": name,
                "in": place,
                "required": required,
                "description": properties[name].get("description", ""),
                "schema": {key: value for key, value in properties[name].items() if key != "description"},
            }
            for name, place, required in named
        ],
        "responses": _answers({"application/json": {"schema": {}}}, _PROBLEMS),
    }


def _act(action: Mapping[str, Any]) -> dict[str, object]:
    return {
        "operationId": action["name"],
        "summary": action["summary"],
        "description": f"Class {action['permission']}.",
        "requestBody": {
            "required": bool(action["arguments"].get("required")),
            "content": {"application/json": {"schema": action["arguments"]}},
        },
        "responses": _answers({"application/json": {"schema": {}}}, {*_PROBLEMS, *_LONG}),
    }


def _query(name: str, description: str, many: bool = False) -> dict[str, object]:
    one: dict[str, object] = {"type": "string"}
    schema = {"type": "array", "items": one} if many else one
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


_HISTORY: Mapping[str, object] = {
    "operationId": "get.history",
    "summary": "History, sent while it is made.",
    "description": "Class read.",
    "parameters": [
        _query("device", "the short ids of the devices; all where none is named", many=True),
        _query("variable", "the names of the variables; all where none is named", many=True),
        _query("from", "from when on, as 2026-11-21 or 2026-11-21T10:00; since midnight where nothing is said"),
        _query("to", "until when; now where nothing is said"),
        _query("period", "the length of the records, as 10 s, 1 min or 15 min; history's own where nothing is said"),
        {
            "name": "format",
            "in": "query",
            "required": False,
            "description": "csv where nothing is said",
            "schema": {"type": "string", "enum": ["csv", "json"]},
        },
    ],
    "responses": _answers({"text/csv": {"schema": {"type": "string"}}, "application/json": {"schema": {}}}, _PROBLEMS),
}

_EVENTS: Mapping[str, object] = {
    "operationId": "get.events",
    "summary": "What changes, by server-sent events, as long as the connection stays.",
    "description": "Class read. `devices`: those with news, by short id, each as in /devices/{uid}, at most once "
    "a second; `events`: what happened, by number; `beat`: each 5 s, the time.",
    "parameters": [],
    "responses": _answers({"text/event-stream": {"schema": {"type": "string"}}}, _PROBLEMS),
}
