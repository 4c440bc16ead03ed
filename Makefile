# Every target does its own set-up: a virtual environment in .venv from hash-pinned requirements.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 6
# The policies as they were shipped: what somebody has made of policies/ fails no check.
PACK := functions/scc_responder/pack
# What measures seconds: beside other tests it would tell how busy these are.
ALONE := tests/cli/policy/test_pack_cost.py tests/cli/simulate/test_simulation_cost.py \
  tests/execute/evidence/test_log_text.py tests/fuzz/test_large.py tests/intake/test_find_name.py tests/notifications/test_costs.py \
  tests/pipeline/test_large_cluster.py tests/policy/test_compiled.py
# What waits some seconds and asserts on them, or looks at a kernel or a kubelet: a few of these leave the processors idle.
# tests/shape/test_alone.py sees to it that what asserts on few seconds is here or in ALONE.
WAITING := tests/node tests/adapters/google/firestore/test_firestore_faults.py tests/adapters/kubernetes/test_api_requests.py \
  tests/adapters/google/gke/test_reach.py::test_a_stall_is_bounded \
  tests/adapters/google/gke/test_reach.py::test_a_stalled_handshake_is_bounded \
  tests/adapters/messaging/test_mail_session.py::test_a_mail_server_that_never_ends_costs_its_time \
  tests/adapters/messaging/test_web_post.py::test_a_server_that_never_ends_costs_its_time_alone \
  tests/adapters/notifiers/test_apprise.py::test_services_that_never_end_cost_their_time_alone \
  tests/collector/test_container_cut.py tests/collector/test_container_look.py \
  tests/domain/kubernetes/test_cluster_session.py::test_changes_take_this_many_requests \
  tests/pipeline/notices/test_notice_storms.py::test_a_notice_is_handed_over_soon \
  tests/pipeline/notices/test_route_lanes.py::test_a_receiver_that_never_answers_costs_a_second_once \
  tests/pipeline/test_busy_cluster.py::test_the_findings_of_others_take_their_usual_time \
  tests/pipeline/test_busy_cluster.py::test_two_warm_servers_that_stall_at_once_leave_a_place
# With AGAIN=1, as CI does: what fails beside others is run once more, alone, and named. What passes then tells of the
# machine; what fails again ends the run.
ONCE_MORE = $(if $(AGAIN),|| { echo "Once more alone:"; $(BIN)/pytest --last-failed --last-failed-no-failures none --maxfail 1 --verbose; })
export PYTHONPATH := functions:.
# Hundreds of processes are started: each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test check coverage soak bench bundle wheel collector cluster node node-packages lock format clean
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

install: .venv/ready ## Make the command line, .venv/bin/scc-responder
	@echo 'export PATH="$(CURDIR)/$(BIN):$$PATH"'

demo: .venv/ready ## Show the main job on this machine, with a simulated cluster
	$(BIN)/scc-responder demo

test: .venv/ready $(if $(T),,bundle) ## Run all tests, or those of one path: make test T=tests/cli
ifdef T
	$(BIN)/pytest $(T)
else
	$(BIN)/python -m tests.cluster.binaries
	-$(BIN)/python -m tests.node.real_node
	-$(BIN)/python -m tests.terraform.program
	$(BIN)/python -m tests.browser
	$(BIN)/pytest -n $(WORKERS) --ignore tests/e2e $(patsubst %,--deselect %,$(ALONE) $(WAITING)) $(ONCE_MORE)
	$(BIN)/pytest -n 5 $(WAITING) $(ONCE_MORE)
	$(BIN)/pytest $(ALONE) $(ONCE_MORE)
	$(BIN)/pytest -n $(WORKERS) --verbose tests/e2e $(ONCE_MORE)
endif

check: .venv/ready ## Lint, types, layers, generated files and doc tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/scc-responder policy lint --strict --policies $(PACK)
	$(BIN)/scc-responder policy test --policies $(PACK)
	$(BIN)/scc-responder policy coverage --strict --policies $(PACK) > /dev/null
	$(BIN)/scc-responder policy prove --policies $(PACK) > /dev/null
	$(BIN)/scc-responder permissions --policies $(PACK) --kustomization terraform/kubernetes --iam terraform/permissions.json --check
	$(BIN)/pytest -q tests/shape -p no:cacheprovider
	$(BIN)/pytest -q tests/collector/test_go_sources.py -k "formatted or small or library" -p no:cacheprovider
	$(BIN)/pytest -q --doctest-modules functions/scc_responder -p no:cacheprovider

coverage: .venv/ready ## How much of each module its own test file runs; half an hour, less with M=folder
	$(BIN)/python -m tests.cluster.binaries
	$(BIN)/python -m tests.shape.line_coverage -n $(WORKERS) $(M)

soak: .venv/ready bundle ## Run the tests at their full counts
	$(BIN)/python -m tests.cluster.binaries
	-$(BIN)/python -m tests.node.real_node
	-$(BIN)/python -m tests.terraform.program
	$(BIN)/python -m tests.browser
	SCC_RESPONDER_SOAK=1 $(BIN)/pytest -n $(WORKERS) --timeout 3600 $(patsubst %,--deselect %,$(ALONE) $(WAITING))
	SCC_RESPONDER_SOAK=1 $(BIN)/pytest -n 3 --timeout 3600 $(WAITING)
	SCC_RESPONDER_SOAK=1 $(BIN)/pytest --timeout 3600 $(ALONE)

bench: .venv/ready bundle ## Measure the deployed function against its floor; prints JSON
	@$(BIN)/python -m tests.cluster.binaries >&2
	@$(BIN)/python -m tests.bench

bundle: .venv/ready ## Make dist/scc-responder.zip of policies/: the zip that is deployed, and what goes with it
	$(BIN)/scc-responder bundle --out dist/scc-responder.zip

wheel: .venv/ready ## Make the wheel in dist/: the command line, for a repository of your own policies
	$(BIN)/python -m hatchling build --target wheel --directory dist

collector: .venv/ready ## Make dist/collector, the image that looks into containers, and with PUSH=PLACE push it; needs Go
	@$(BIN)/python functions/collector_image.py dist/collector
ifneq ($(PUSH),)
	@$(BIN)/python functions/collector_push.py dist/collector $(PUSH)
endif

cluster: .venv/ready ## Start a cluster to play with, and print its kubeconfig
	$(BIN)/python -m tests.cluster.run

node: .venv/ready ## Show what is said beside what is true, on a real node on this machine; needs root
	@$(BIN)/python -m tests.node.real_node
	@$(BIN)/python -m tests.node

node-packages: .venv/ready ## Install the Debian packages of the real node: containerd, runc, iptables
	@$(BIN)/python -m tests.node.packages

lock: .venv/ready ## Resolve pyproject.toml into hash-pinned requirements
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml -o functions/requirements.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml --extra desk --group dev -o requirements-dev.txt

format: .venv/ready ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove what the targets made here
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

# uv installs in seconds what takes pip a minute; where it cannot be used, pip does it.
.venv/ready: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@echo "setting up .venv ..."
	@$(PYTHON) -m venv .venv
	@awk '/^[a-z]/ { on = /^uv==/ } on' requirements-dev.txt > .venv/uv.txt
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.txt \
	  || $(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
