# The developer's whole interface: demo, test, soak, lint, bench, docs, clean. Python lives in .venv; a stamp in it says for
# which setup.cfg it was filled, so that only the first run waits.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

.PHONY: demo test soak lint bench docs clean peers bench-peers

demo: $(VENV)/.demo  ## everything at work, without hardware; options: make demo ARGS="--meters 32"
	@$(BIN)/ccmaster demo $(ARGS)

test: $(VENV)/.test peers lint  ## lint and all tests; options: make test ARGS="-k journal"
	$(BIN)/python -m pytest $(ARGS)

soak: $(VENV)/.test peers  ## the whole program among faults; options: make soak ARGS="--faults 200 --seed 7"
	$(BIN)/python -m tests.whole.chaos $(ARGS)

lint: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.bench bench-peers  ## prints figures beside named peers; options: make bench ARGS=bus
	$(BIN)/python -m bench $(ARGS)

docs: $(VENV)/.demo  ## makes the pages that are made from the program
	$(BIN)/python -m concentrator.app.settings_page > docs/settings.md
	$(BIN)/python -m concentrator.app.commands_page > docs/commands.md
	$(BIN)/python -m concentrator.app.devices_page > docs/devices.md
	$(BIN)/python -m concentrator.profile.json_schema > docs/profile.schema.json

clean:
	rm -rf .venv build dist *.egg-info .*_cache .hypothesis concentrator/web/static/vendor
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("CcMaster needs Python 3.11 or newer; \
	name one with: make PYTHON=python3.x")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.demo: $(BIN)/python setup.cfg pyproject.toml
	$(INSTALL) '.[demo]'
	@touch $@

$(VENV)/.test: $(BIN)/python setup.cfg pyproject.toml
	$(INSTALL) '.[test]'
	@touch $@

$(VENV)/.bench: $(BIN)/python setup.cfg pyproject.toml
	$(INSTALL) '.[test,bench]'
	@touch $@

# Installs what the shell names in $$missing, where this user may; else says who needs it, and the words that do it.
define install_missing
[ -z "$$missing" ] || { \
	  install="apt-get install --yes --no-install-recommends$$missing"; \
	  if [ "$$(id -u)" = 0 ]; then sudo=; \
	  elif sudo -n true 2>/dev/null; then sudo="sudo -n"; \
	  else echo "$(1) need$$missing. Install with: sudo $$install" >&2; exit 1; fi; \
	  $$sudo apt-get update --quiet && $$sudo $$install; }
endef

# axe-core, which finds what is wrong with a page for people who do not see it; for the tests only.
AXE := $(VENV)/axe-core/package/axe.min.js

# The tests' peers that pip does not bring.
peers: $(BIN)/python
	@PATH="$$PATH:/usr/sbin:/sbin"; missing=; \
	command -v mosquitto >/dev/null || missing="$$missing mosquitto"; \
	command -v mosquitto_sub >/dev/null || missing="$$missing mosquitto-clients"; \
	command -v vsftpd >/dev/null || missing="$$missing vsftpd"; \
	command -v mbpoll >/dev/null || missing="$$missing mbpoll"; \
	command -v socat >/dev/null || missing="$$missing socat"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || missing="$$missing chromium"; \
	ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || missing="$$missing libfaketime"; \
	command -v cc >/dev/null || missing="$$missing gcc libc6-dev"; \
	command -v npm >/dev/null || [ -f $(AXE) ] || missing="$$missing npm"; \
	$(call install_missing,The tests)
	@[ -f $(AXE) ] || { mkdir -p $(VENV)/axe-core && cd $(VENV)/axe-core && npm pack --silent axe-core@4.14.1 >/dev/null \
	  && tar xzf axe-core-4.14.1.tgz && rm axe-core-4.14.1.tgz; }

# What the benches' peers in C are made with.
bench-peers:
	@missing=; \
	command -v cc >/dev/null || missing="$$missing gcc libc6-dev"; \
	command -v pkg-config >/dev/null || missing="$$missing pkg-config"; \
	pkg-config --exists libmodbus 2>/dev/null || missing="$$missing libmodbus-dev"; \
	command -v rrdtool >/dev/null || missing="$$missing rrdtool"; \
	command -v socat >/dev/null || missing="$$missing socat"; \
	PATH="$$PATH:/usr/sbin" command -v ser2net >/dev/null || missing="$$missing ser2net"; \
	$(call install_missing,The benches)
