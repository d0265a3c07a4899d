# Drydock. `make help` lists what there is; `make test` checks, `make demo` shows it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

GO_VERSION := $(shell go env GOVERSION)
# Tools are built from source, once per version, outside the tree. DRYDOCK_CACHE moves this and the lab's binaries.
TOOLS := $(if $(DRYDOCK_CACHE),$(DRYDOCK_CACHE)/tools,$(HOME)/.cache/drydock-tools)
LAB_CACHE := $(if $(DRYDOCK_CACHE),$(DRYDOCK_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/drydock-lab)
LAB_DIR ?= $(CURDIR)/.lab
LAB := go -C lab run ./cmd/lab --dir $(LAB_DIR)
FUZZTIME ?= 20s
BENCHTIME ?= 3x
# Which part of the fault matrix make test plays, and what decides which case is in which part: another one with each commit.
FAULTS_PART ?= 1/3
FAULTS_SEED ?= $(shell git rev-parse HEAD 2>/dev/null || echo drydock)
# No case begins later than this, so that a slow machine ends in time; the matrix says how many were played.
FAULTS_BUDGET ?= 36m

CONTROLLER_GEN := $(TOOLS)/controller-gen-v0.23.0-$(GO_VERSION)/controller-gen
GOLANGCI_LINT := $(TOOLS)/golangci-lint-v2.15.0-$(GO_VERSION)/golangci-lint
GOVULNCHECK := $(TOOLS)/govulncheck-v1.9.0-$(GO_VERSION)/govulncheck
HELM := $(TOOLS)/helm-v4.3.1-$(GO_VERSION)/helm

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ See it

.PHONY: up down demo
up: ## Start the lab: a real Kubernetes with fake nodes, cert-manager and the operator
	@echo "==> lab (its command is compiled the first time, about 40 s)"
	@$(LAB) up --root $(CURDIR)
down: ## Stop what `make up` started
	@$(LAB) down
demo: ## Start the lab, show what the operator does (2 minutes), stop the lab
	@trap '$(MAKE) down' EXIT; $(MAKE) up; DRYDOCK_LAB=$(LAB_DIR) go run -tags lab ./test/demo

##@ Build

.PHONY: build generate manifests fmt
build: ## Build the operator into bin/ (the image: docker build -t drydock:0.1.0 .)
	@CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/ ./cmd/...
generate: $(CONTROLLER_GEN) ## Write deep copy functions
	@$(CONTROLLER_GEN) object paths=./apis/...
manifests: $(CONTROLLER_GEN) ## Write config/crd from the types, the chart from config/, docs/conditions.md
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	$(CONTROLLER_GEN) crd paths=./apis/... output:crd:dir="$$tmp"; \
	go run ./hack/crds -in "$$tmp" -out config/crd
	@go run ./hack/chart -config config -out charts/drydock/templates
	@go run ./hack/conditions -out docs/conditions.md
fmt: $(GOLANGCI_LINT) ## Format the code
	@$(GOLANGCI_LINT) fmt ./...

##@ Check

.PHONY: lint verify vuln test test-unit test-lab test-tls test-petsets test-faults test-faults-all chart bench fuzz
lint: $(GOLANGCI_LINT) ## Lint both modules
	@$(GOLANGCI_LINT) run ./...
	@cd lab && $(GOLANGCI_LINT) run --config $(CURDIR)/.golangci.yml ./...
verify: $(CONTROLLER_GEN) ## Fail when generated files are not what `make generate manifests` writes
	@hack/verify.sh
vuln: $(GOVULNCHECK) ## Look for known vulnerabilities; needs the internet, so `make test` leaves it out
	@hack/vuln.sh $(GOVULNCHECK)
test: ## verify, lint, unit tests with -race, chart, the demo, every suite on labs of its own, a third of the fault matrix
	@hack/test.sh
test-unit: ## Unit tests of both modules, with the race detector
	@go test -race ./...
	@go -C lab test -race ./...
test-lab: ## The acceptance suites, on a running lab (make up)
	@go test -tags lab -count=1 ./test/framework/... ./test/bench
	@DRYDOCK_LAB=$(LAB_DIR) go test -tags lab -count=1 -timeout 45m -v ./test/acceptance
test-tls: ## The suite for TLS, with cert-manager, on a running lab (make up)
	@DRYDOCK_LAB=$(LAB_DIR) go test -tags lab -count=1 -timeout 30m -v ./test/tls
test-petsets: ## The suite for PetSets, on a lab of its own that it starts and stops
	@trap 'go -C lab run ./cmd/lab --dir $(LAB_DIR)-petset down' EXIT; \
	go -C lab run ./cmd/lab --dir $(LAB_DIR)-petset up --root $(CURDIR) --manifests config/petset; \
	DRYDOCK_PETSET_LAB=$(LAB_DIR)-petset go test -tags lab -count=1 -timeout 20m -v ./test/petset
test-faults: ## A third of the fault matrix (FAULTS_PART, FAULTS_SEED), on a lab of its own that it starts and stops
	@$(call faults,-faults.part=$(FAULTS_PART) -faults.budget=$(FAULTS_BUDGET) -faults.replay)
test-faults-all: ## The whole fault matrix, on a lab of its own
	@$(call faults,)
chart: $(HELM) ## Compare the Helm chart with what kustomize renders
	@$(LAB) build
	@kubectl=$$(ls -t $(LAB_CACHE)/kubectl-* | head -n 1); \
	DRYDOCK_HELM=$(HELM) DRYDOCK_KUBECTL=$$kubectl go test -tags chart -count=1 ./charts/...
bench: ## Benchmarks: admission, then operations on a lab of their own, beside their floor and beside a rollout
	@go test -run '^$$' -bench . -benchmem ./webhooks/... ./ops/...
	@trap 'go -C lab run ./cmd/lab --dir $(LAB_DIR)-bench down' EXIT; \
	go -C lab run ./cmd/lab --dir $(LAB_DIR)-bench up --root $(CURDIR); \
	DRYDOCK_LAB=$(LAB_DIR)-bench go test -tags lab -run '^$$' -bench . -benchtime $(BENCHTIME) -timeout 2h ./test/bench
fuzz: ## Every fuzz target for FUZZTIME (20s)
	@hack/fuzz.sh $(FUZZTIME)

# Processes that take long turns on a core instead of quick ones get a third more cases done in the same time.
BATCH := $(if $(shell command -v chrt),chrt --batch 0)
# $(call faults,FLAGS): the fault suite. Its lab has no operator and no webhooks, and trades memory and quick answers for time.
define faults
trap 'go -C lab run ./cmd/lab --dir $(LAB_DIR)-faults down' EXIT; \
GOGC=300 $(BATCH) go -C lab run ./cmd/lab --dir $(LAB_DIR)-faults up --root $(CURDIR) --operator=false --audit=false \
	--manifests test/faults/manifests --without endpointslice-controller; \
GOGC=400 DRYDOCK_LAB=$(LAB_DIR)-faults $(BATCH) go test -tags lab,faults -count=1 -timeout 7h -v ./test/faults -args -faults.seed=$(FAULTS_SEED) -faults.only='$(FAULTS_ONLY)' $(1) \
	| grep --line-buffered -v -E '^ *(=== RUN|--- PASS)'
endef

# $(call tool,PATH,PACKAGE,ABOUT): a tool from its own module, at the version in its path.
define tool
$(1):
	@echo "==> building $$(notdir $$@) (first time, about $(3))"
	@mkdir -p $$(@D); GOBIN=$$(@D) GOFLAGS= CGO_ENABLED=0 go install $(2)
endef
$(eval $(call tool,$(CONTROLLER_GEN),sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0,20 s))
$(eval $(call tool,$(GOLANGCI_LINT),github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0,4 min))
$(eval $(call tool,$(GOVULNCHECK),golang.org/x/vuln/cmd/govulncheck@v1.9.0,20 s))
$(eval $(call tool,$(HELM),helm.sh/helm/v4/cmd/helm@v4.3.1,2 min))
