# mcu: the targets are listed by `make help`.
MAKEFLAGS += -r
SHELL     := /bin/bash

# VARIANT: release (default), asan, tsan, coverage, fuzz. Each has its folder.
VARIANT ?= release
BUILD   ?= build/$(VARIANT)
CC      ?= gcc
ifeq ($(origin CC),default)
CC = gcc
endif

VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
WARN     = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Werror
CFLAGS  ?= -O2 -g
PKGS_base      =
PKGS_rtp       =
PKGS_mixer     = libavcodec libavutil libswscale libswresample opus pangocairo x264
PKGS_net       = nice openssl libsrtp2 glib-2.0
PKGS_signaling = libwebsockets jansson glib-2.0 openssl
PKGS_storage   = sqlite3 libavformat libavcodec libavutil
PKGS_room      = glib-2.0
PKGS_app       = yaml-0.1 glib-2.0 openssl jansson
LIBS_app       = -largon2
LIBS_mixer     = -lyuv -lm
LIBS_storage   = -largon2

MODULES = base rtp mixer net room signaling storage app
PKGS    = $(sort $(foreach m,$(MODULES),$(PKGS_$(m))))
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null | sed 's/-I/-isystem /g')

override CPPFLAGS += -D_GNU_SOURCE -I. -MMD -MP $(PKG_CFLAGS)
override CFLAGS   += -std=c11 $(WARN) -fno-omit-frame-pointer -pthread
override LDFLAGS  += -pthread

ifeq ($(VARIANT),asan)
override CFLAGS  += -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
override LDFLAGS += -fsanitize=address,undefined
endif
ifeq ($(VARIANT),tsan)
override CFLAGS  += -O1 -fsanitize=thread
override LDFLAGS += -fsanitize=thread
endif
ifeq ($(VARIANT),coverage)
override CFLAGS  += -O0 --coverage
override LDFLAGS += --coverage
endif

# Sources by module; a library may use those to its right in LINK_….
SRC_base      = $(wildcard mcu/base/*.c)
SRC_rtp       = $(wildcard mcu/rtp/*.c)
SRC_net       = $(wildcard mcu/net/*.c)
SRC_room      = $(wildcard mcu/room/*.c)
SRC_mixer     = $(wildcard mixer/audio/*.c mixer/video/*.c mixer/codec/*.c)
SRC_signaling = $(wildcard signaling/*.c)
SRC_storage   = $(wildcard storage/*.c)
SRC_app       = $(filter-out mcu/main.c,$(wildcard mcu/*.c))
LINK_base      = base
LINK_rtp       = rtp base
LINK_mixer     = mixer base
LINK_net       = net rtp base
LINK_room      = room net rtp mixer base
LINK_signaling = signaling base
LINK_storage   = storage base
LINK_app       = app signaling storage room net rtp mixer base

define module_rules
OBJ_$(1) = $$(SRC_$(1):%.c=$$(BUILD)/%.o)
$$(BUILD)/lib$(1).a: $$(OBJ_$(1))
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call module_rules,$(m))))

libs_of = $(foreach l,$(LINK_$(1)),$(BUILD)/lib$(l).a)
sys_of  = $(if $(strip $(foreach l,$(LINK_$(1)),$(PKGS_$(l)))),$(shell pkg-config --libs $(sort $(foreach l,$(LINK_$(1)),$(PKGS_$(l)))))) $(foreach l,$(LINK_$(1)),$(LIBS_$(l)))

.PHONY: all run test unit integration e2e bench fuzz asan tsan lint format coverage install clean help deps
.DEFAULT_GOAL := all

all: $(BUILD)/mcu $(BUILD)/mcu-bot ## build the server and the load bot

$(BUILD)/mcu: $(BUILD)/mcu/main.o $(call libs_of,app)
	@echo "  LINK $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(call sys_of,app)

BOT_SRC = $(wildcard tests/load/*.c)
$(BUILD)/mcu-bot: $(BOT_SRC:%.c=$(BUILD)/%.o)
	@echo "  LINK $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(call sys_of,app) -lm

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
# What the binary knows about where it came from; rebuilt when that changes.
PREFIX ?= /usr/local
$(BUILD)/mcu/options.o: override CPPFLAGS += -DMCU_VERSION='"$(VERSION)"' \
	-DMCU_WEB_PATH='"$(PREFIX)/share/mcu/web"'
$(BUILD)/mcu/options.o: $(BUILD)/options.stamp
$(BUILD)/options.stamp: FORCE
	@mkdir -p $(@D); echo '$(VERSION) $(PREFIX)' | cmp -s - $@ || echo '$(VERSION) $(PREFIX)' >$@
.PHONY: FORCE
FORCE:

# Unit tests: tests/<source folder>/test_*.c, one program each, linked with the
# module under test and what is below it.
SUPPORT_OBJ = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
define test_rules
TESTS_$(1) = $$(patsubst %.c,$$(BUILD)/%,$$(wildcard $(2:%=%/test_*.c)))
$$(TESTS_$(1)): $$(BUILD)/%: $$(BUILD)/%.o $$(SUPPORT_OBJ) $$(call libs_of,$(1))
	@echo "  LINK $$@"
	@$$(CC) $$(LDFLAGS) -o $$@ $$^ -lcmocka $$(call sys_of,$(1)) -lm
.PHONY: unit-$(1)
unit-$(1): $$(TESTS_$(1))
	@tests/run-unit.sh $$(TESTS_$(1))
endef
$(eval $(call test_rules,base,tests/mcu/base))
$(eval $(call test_rules,rtp,tests/mcu/rtp))
$(eval $(call test_rules,net,tests/mcu/net))
$(eval $(call test_rules,room,tests/mcu/room))
$(eval $(call test_rules,mixer,tests/mixer/audio tests/mixer/video tests/mixer/codec))
$(eval $(call test_rules,signaling,tests/signaling))
$(eval $(call test_rules,storage,tests/storage))
$(eval $(call test_rules,app,tests/mcu))
ALL_TESTS = $(foreach m,$(MODULES),$(TESTS_$(m)))

unit: deps-test $(ALL_TESTS) ## the unit tests alone (the inner loop)
	@tests/run-unit.sh $(ALL_TESTS)

.PHONY: deps-run deps-test deps-lint
deps-run deps-test deps-lint: deps-%:
	@scripts/install-deps.sh $*

clean: ## remove everything that was built
	rm -rf build

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
