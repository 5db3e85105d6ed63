# Checks of infra/ that need no cloud: make infra-test.
#
# Terraform (or OpenTofu) takes its providers from a registry. Where none can be reached, name a directory laid out as a
# filesystem mirror in ONEPANE_TF_MIRROR, or set TF_CLI_CONFIG_FILE yourself. What cannot run is named, and passed over unless
# INFRA_STRICT=1.
INFRA_TF      ?= $(shell command -v terraform || command -v tofu)
INFRA_MODULES := azure aws gcp
INFRA_ROOTS   := $(INFRA_MODULES) examples/azure-only examples/azure-aws examples/all
INFRA_BUILD   := $(CURDIR)/dist/infra
INFRA_VENV    := infra/.venv
CFN_LINT      := 1.51.0

.PHONY: infra-test infra-fmt infra-tf infra-lint infra-contract

infra-test: infra-contract infra-fmt infra-lint infra-tf

# Code and infrastructure agree, and each check goes red when its promise is broken.
infra-contract:
	$(GO) test ./infra/contract

infra-skip = { echo "infra-test: skipped: $(1)"; test -z "$(INFRA_STRICT)"; }

infra-fmt:
	@if test -z "$(INFRA_TF)"; then $(call infra-skip,fmt: neither terraform nor tofu is on PATH); \
	else $(INFRA_TF) fmt -check -diff -recursive infra; fi

# validate knows every argument of every resource; test plans each module with mocked providers.
infra-tf:
	@if test -z "$(INFRA_TF)"; then $(call infra-skip,validate and test: neither terraform nor tofu is on PATH); exit; fi; \
	mkdir -p $(INFRA_BUILD); export CHECKPOINT_DISABLE=1; \
	if test -n "$(ONEPANE_TF_MIRROR)"; then \
	  printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "$(ONEPANE_TF_MIRROR)" > $(INFRA_BUILD)/cli.rc; \
	  export TF_CLI_CONFIG_FILE=$(INFRA_BUILD)/cli.rc; \
	fi; \
	for root in $(INFRA_ROOTS); do \
	  export TF_DATA_DIR=$(INFRA_BUILD)/$$root; mkdir -p $$TF_DATA_DIR; \
	  if ! $(INFRA_TF) -chdir=infra/$$root init -backend=false -input=false -no-color > $$TF_DATA_DIR/init.log 2>&1; then \
	    if grep -qE 'Failed to (query|install)|Could not retrieve|registry' $$TF_DATA_DIR/init.log; then \
	      $(call infra-skip,validate and test of $$root: no provider registry; see $$TF_DATA_DIR/init.log and set ONEPANE_TF_MIRROR) || exit 1; continue; \
	    fi; \
	    cat $$TF_DATA_DIR/init.log; exit 1; \
	  fi; \
	  echo "validate infra/$$root"; $(INFRA_TF) -chdir=infra/$$root validate -no-color || exit 1; \
	  case " $(INFRA_MODULES) " in *" $$root "*) echo "test infra/$$root"; $(INFRA_TF) -chdir=infra/$$root test -no-color || exit 1;; esac; \
	done

# The CloudFormation template against the published resource schemas.
infra-lint: $(INFRA_VENV)/cfn-lint-$(CFN_LINT)
	@if test -x $(INFRA_VENV)/bin/cfn-lint; then echo "cfn-lint infra/aws/stackset"; $(INFRA_VENV)/bin/cfn-lint infra/aws/stackset/*.yaml; fi

$(INFRA_VENV)/cfn-lint-$(CFN_LINT):
	@if ! command -v python3 > /dev/null; then $(call infra-skip,cfn-lint: python3 is not on PATH); \
	elif ! python3 -m venv $(INFRA_VENV) || ! $(INFRA_VENV)/bin/pip install --quiet --disable-pip-version-check cfn-lint==$(CFN_LINT); then \
	  rm -rf $(INFRA_VENV); $(call infra-skip,cfn-lint $(CFN_LINT) could not be installed from PyPI); \
	else touch $@; fi
