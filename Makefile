# Two commands do everything: `make run` starts the server, `make test` checks the whole project.
# Both build the same .venv from requirements.lock (hashes included, no download host named).

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.locked

.DEFAULT_GOAL := help
.PHONY: help run demo test lint unit fuzz soak browsers bench screenshots lock clean web tools

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

WEBKIT := webkit2gtk-driver libwebkit2gtk-4.1-0 gstreamer1.0-libav gstreamer1.0-plugins-base \
	gstreamer1.0-plugins-good gstreamer1.0-plugins-bad xvfb pulseaudio
NATIVE := tools/build_native.py $(wildcard meet/media/fastpath/*.[ch])

$(STAMP): requirements.lock pyproject.toml $(NATIVE)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || bash tools/apt-install python3-venv
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock 2>&1 | grep -v '^WARNING: Location' || true
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . 2>&1 | grep -v '^WARNING: Location' || true
	@$(BIN)/python -c 'import meet, storage, av, aiortc' && touch $@

web: $(STAMP) ## Build the pages' static files
	@$(BIN)/python web/build.py

run: web ## Start the server on embedded defaults (ARGS="--port 8080" adds options)
	@exec $(BIN)/meet serve --show-credentials $(ARGS)

demo: web ## Two robots meet, are recorded, and the MP4 is fetched (ARGS="--seconds 20")
	@exec $(BIN)/meet demo $(ARGS)

tools:
	@bash tools/apt-install chromium ffmpeg unzip

lint: web ## Formatter, linter and type checkers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python web/build.py --check
	@$(BIN)/python tools/lint_openapi.py

test: lint tools ## Everything that must pass: lint, types, unit, contract, end-to-end, faults
	@$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder $(ARGS)

unit: $(STAMP) ## The fast tests only
	@$(BIN)/pytest tests/unit $(ARGS)

fuzz: web ## Many more requests made from the documents than `make test` sends (EXAMPLES=400)
	@MEET_FUZZ_EXAMPLES=$(or $(EXAMPLES),400) $(BIN)/pytest tests/fuzz --timeout 1800 $(ARGS)

soak: $(STAMP) ## Hours of coming and going, floods, 200 kills, and 20 minutes judged by flashes and beeps
	@MEET_SOAK_CYCLES=500 $(BIN)/pytest tests/e2e/media/test_soak.py tests/functional/storage/test_zip_download.py -s -n0 $(ARGS)
	@$(BIN)/python -m tests.faults.flood
	@$(BIN)/python -m tests.faults.soak --kills 200
	@$(BIN)/python -m tests.faults.sync --minutes 20

browsers: web tools ## What `make test` leaves out: Firefox, WebKit, coturn, an older SDK, every codec (a large download)
	@bash tools/apt-install firefox-esr coturn $(WEBKIT)
	@MEET_BROWSERS=1 SVT_LOG=0 $(BIN)/pytest -n0 $(or $(ARGS),tests/e2e/media/pages tests/e2e/browser/test_firefox.py \
		tests/e2e/browser/playback)

bench: web tools ## Side-by-side measurements; prints ratios
	@bash tools/apt-install nginx-light janus iproute2 firefox-esr $(WEBKIT)
	@for module in api.run ranges.run storage.behind sfu recorder.run recorder.start recorder.resume recorder.browser playback.run; do \
		echo "== bench.$$module"; $(BIN)/python -m bench.$$module || exit 1; done

screenshots: web tools ## Take the pictures in docs/images again
	@$(BIN)/python -m tests.e2e.browser.screenshots

lock: ## Resolve the dependencies again (network)
	@$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install -q uv
	@.venv-lock/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev \
		--no-header --no-emit-index-url --no-emit-find-links --upgrade -q -o requirements.lock pyproject.toml
	@rm -rf .venv-lock

clean: ## Remove everything that was built (not ./data)
	rm -rf $(VENV) web/node_modules meet/web/static meet/media/fastpath/*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis
