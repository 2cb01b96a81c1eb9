# Every target that does something is a verb of one Go program, ci/cmd/rig. It is built first, and not
# run by 'go run', which would not pass a SIGTERM on.
.DEFAULT_GOAL := help
.PHONY: help demo image push image-reproducible test test-render test-soak test-charts lint clean cluster bench-demo bench-render bench-logs bench-backup bench-tokens generate version

rig := .build/rig
# Given on the command line they choose tests; what the environment may have by these names does not.
RUN :=
STRICT :=
chosen = $(if $(value RUN),-run '$(value RUN)') $(if $(filter-out 0,$(STRICT)),-strict)

# For every go command, as ci/tools has them for what is built from modules of their own: see GoEnv there.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(GOFLAGS) -trimpath -buildvcs=false)

demo: ## A cluster, the example chart in it, and the first lines that its sidecars shipped
test: ## All tests; exit code 0 only if all of them ran and passed (RUN=Regexp: only those; STRICT=1: none a second time)
test-render: ## The tests that need neither a cluster nor Docker
test-soak: ## What takes longer: fuzzing, random runs of the scripts, a long outage of a backend
lint: ## chart-testing, helm lint --strict, shellcheck, go vet, staticcheck
image: ## The image of the program as an OCI layout in .build/image, and in the cluster if there is one
push: ## The image to a registry: make push REGISTRY=registry.example/team
image-reproducible: ## Make the image from two clones at other paths, umasks, time zones and times, and compare
clean: ## Remove the cluster and the images
cluster: ## Only the cluster, for tests that are run by hand
bench-demo: ## How long the demo takes, cold and warm
bench-render: ## How long a pod takes to render, by its number of sidecars
bench-logs: ## What shipping log files costs, beside rsyslog and tail | nc
bench-backup: ## What a backup of a database costs, beside its dump alone and pg_dump | gzip
bench-tokens: ## What a token refresher costs while it sleeps, and how soon a new token is used

# Where push pushes to.
REGISTRY :=
push: export REGISTRY := $(REGISTRY)

demo lint image push image-reproducible clean cluster bench-demo bench-render bench-logs bench-backup bench-tokens:
	@go build -o $(rig) ./ci/cmd/rig
	@$(rig) $@

test test-render test-soak:
	@go build -o $(rig) ./ci/cmd/rig
	@$(rig) $@ $(chosen)

# The folder of other people's charts.
CHARTS := charts

test-charts: ## Put the charts in a folder through outrigger.manifest, and compare (CHARTS=DIR)
	@OUTRIGGER_CHARTS='$(abspath $(CHARTS))' go test ./tests/charts -count=1 -timeout=60m -v

generate: ## Write the library's values.schema.json from library/schema
	go run ./ci/schema

version: ## Set the library's version: make version VERSION=0.2.0
	@test -n "$(VERSION)" || { echo 'usage: make version VERSION=0.2.0'; exit 2; }
	@old=$$(sed -n 's/^version: //p' library/outrigger/Chart.yaml); \
	grep -rlF "outrigger-$$old." library/outrigger | xargs sed -i "s/outrigger-$$old\./outrigger-$(VERSION)./g"; \
	sed -i "s#\(ghcr.io/outrigger-charts/outrigger\):$$old#\1:$(VERSION)#" library/outrigger/values.yaml library/outrigger/Chart.yaml ci/testimages/outrigger.go; \
	sed -i "s#\(images: {outrigger: \"registry.example/[a-z/]*\):$$old\"#\1:$(VERSION)\"#" library/outrigger/README.md charts/django-app/README.md; \
	sed -i 's/^const Version = .*/const Version = "$(VERSION)"/' library/sidecar/version/version.go; \
	sed -i 's/^version: .*/version: $(VERSION)/; s#outrigger/templates: .*#outrigger/templates: "$(VERSION)"#' library/outrigger/Chart.yaml; \
	echo "$$old -> $(VERSION)"
	@$(MAKE) --no-print-directory generate

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
