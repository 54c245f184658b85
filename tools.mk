# Find a Python >= 3.12 that runs, and install the locked environment into $(VENV).
SHELL := /bin/bash
UV := uv==0.13.9

all:
	@set -euo pipefail; \
	ok() { "$$@" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; }; \
	python=""; \
	for candidate in python3 python3.13 python3.12 python3.14 python \
	  $$(ls -d "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3 2>/dev/null | sort -rV) \
	  $$(command -v uv >/dev/null 2>&1 && uv python find '>=3.12' 2>/dev/null); do \
	  if ok "$$candidate"; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "bayesdid needs Python 3.12 or newer and found none." >&2; \
	  echo "Install one (apt install python3.12 python3.12-venv, brew install python@3.13," >&2; \
	  echo "pyenv install 3.13 or uv python install 3.13) and run make again." >&2; exit 2; \
	fi; \
	echo "setting up $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv --clear $(VENV); \
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "$(UV)"; \
	install() { \
	  $(VENV)/bin/uv pip install --quiet --system-certs --compile-bytecode --python $(VENV)/bin/python "$$@" || { \
	    echo "uv could not; trying pip, which knows this machine's pip.conf" >&2; \
	    $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "$$@"; }; \
	}; \
	install --require-hashes -r requirements.lock; \
	install --no-deps --editable .

.PHONY: all
