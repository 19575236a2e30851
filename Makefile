# Every target sets up what it needs; `make help` lists them.
# Compiled Python files make FiftyOne start in 4 s instead of 20.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
READY := .venv/.ready
OUT ?= demo-out
PYTEST := $(BIN)/python -m pytest

.PHONY: help setup demo app test test-fast check format constraints wheel pictures clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' Makefile | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):.*## /  make \1: /p' Makefile

setup: $(READY)  ## make .venv with all packages, and make sure of MongoDB
	@:

$(READY): scripts/bootstrap.py pyproject.toml requirements.txt constraints.txt plugin/version.py
	@python3 scripts/bootstrap.py
	@touch $@

demo: $(READY)  ## label, judge and export the demo scenes offline (GEMINI=1: by Gemini, costs)
	@$(BIN)/fiftyone-gemini demo --out $(OUT) $(if $(GEMINI),--gemini)

app: $(READY)  ## open the demo's result in the FiftyOne App
	@$(BIN)/fiftyone-gemini demo --out $(OUT) --app $(if $(GEMINI),--gemini)

test: $(READY)  ## run all tests, with coverage
	@$(PYTEST) -q -n 2 --cov --cov-report=term:skip-covered

test-fast: $(READY)  ## run the tests that take seconds
	@$(PYTEST) -q -n 2 -m "not slow and not browser"

check: $(READY)  ## lint, format, types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY)  ## format the code, and mend what the linter can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

constraints:  ## write constraints.txt anew with the newest versions
	@$(or $(wildcard $(BIN)/uv),uv) pip compile --quiet --upgrade --universal \
	  --python-version 3.11 --no-header --no-annotate --group dev \
	  --output-file constraints.txt requirements.txt

wheel: $(READY)  ## build the wheel into dist/
	@$(BIN)/python -m build --wheel --no-isolation

pictures: demo  ## take the pictures of README and docs anew (needs Chromium)
	@$(BIN)/python scripts/task_pictures.py
	@$(BIN)/python scripts/video_pictures.py
	@$(BIN)/python -m pytest -q tests/test_app_browser.py
	@$(BIN)/python scripts/pictures.py $(OUT)

clean:  ## remove everything that can be made again
	rm -rf .venv demo-out test-out build dist *.egg-info .coverage .hypothesis .*_cache
