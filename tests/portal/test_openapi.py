import json

import pytest
from jsonschema import Draft202012Validator

from concentrator.app.commands_page import whole_table
from concentrator.portal.openapi import document
from concentrator.portal.rest import READS, STATUS


@pytest.fixture(scope="module")
def said():
    return document(whole_table().describe(), "0.1.0")


def test_every_action_and_every_read_is_in_it(said):
    actions = {f"/actions/{action['name']}" for action in whole_table().describe()}
    reads = {"/" + "/".join(f"{{{READS[path][1]}}}" if part == "*" else part for part in path) for path in READS}
    assert said["paths"].keys() == actions | reads | {"/history", "/events"}
    names = [operation["operationId"] for path in said["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_it_is_json_and_every_schema_in_it_is_one(said):
    json.dumps(said)
    for path in said["paths"].values():
        for operation in path.values():
            schemas = [parameter["schema"] for parameter in operation.get("parameters", ())]
            if "requestBody" in operation:
                schemas.append(operation["requestBody"]["content"]["application/json"]["schema"])
            for schema in schemas:
                Draft202012Validator.check_schema(schema)


def test_every_answer_an_error_can_have_is_documented(said):
    statuses = {str(int(status)) for status in STATUS.values()}
    for path in said["paths"].values():
        for operation in path.values():
            assert statuses | {"200"} <= operation["responses"].keys()


def test_every_part_of_an_address_is_a_parameter(said):
    for address, path in said["paths"].items():
        for operation in path.values():
            named = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
            assert named == {part[1:-1] for part in address.split("/") if part.startswith("{")}
