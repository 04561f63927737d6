import re
import string
import tomllib
from pathlib import Path

import pytest

import concentrator.portal
from concentrator.portal.menu import MENU
from concentrator.portal.words import FOLDER, say_in, words
from concentrator.web.access import Role
from concentrator.web.route import LANGUAGES

PORTAL = Path(concentrator.portal.__file__).parent
TEMPLATES = [*PORTAL.glob("templates/**/*.html"), *PORTAL.parent.glob("web/templates/**/*.html")]


def placeholders(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_every_language_has_the_same_texts_with_the_same_places_to_fill():
    assert {folder.name for folder in FOLDER.iterdir() if folder.is_dir() and folder.name != "__pycache__"} == set(
        LANGUAGES
    )
    english, spanish = words("en"), words("es")
    assert english.keys() == spanish.keys()
    assert {key for key in english if placeholders(english[key]) != placeholders(spanish[key])} == set()


def test_the_same_table_lies_in_the_same_file_of_every_language():
    def tables(language):
        files = (FOLDER / language).glob("*.toml")
        return {file.name: tomllib.loads(file.read_text()).keys() for file in files}

    assert tables("en") == tables("es")


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_keep_to_the_houses_style(language):
    for key, text in words(language).items():
        assert text == text.strip() and text, key
        assert not re.search(r"\b(please|oops|successfully|por favor)\b|!", text, re.IGNORECASE), key
        assert "..." not in text, key


def test_a_text_is_filled_in_and_one_that_is_not_there_is_an_error():
    assert say_in("en")("form.saved", t="10:41") == "Saved at 10:41."
    assert say_in("es")("form.saved", t="10:41") == "Guardado a las 10:41."
    with pytest.raises(KeyError):
        say_in("en")("form.unheard_of")


def test_every_text_a_template_asks_for_is_there():
    known = words("en")
    asked = {
        key
        for template in TEMPLATES
        for key in re.findall(r"""\bt\(\s*["']([a-z0-9_.]+)["']\s*[,)]""", template.read_text())
    }
    assert asked - known.keys() == set()
    assert len(asked) > 10


def test_every_entry_of_the_menu_and_every_role_has_a_name():
    entries = [*MENU, *(part for entry in MENU for part in entry.parts)]
    assert {f"menu.{entry.name}" for entry in entries} | {f"role.{role}" for role in Role} <= words("en").keys()
