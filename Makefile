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
PKGS_mixer     = libavcodec libavutil libswscale libswresample opus speexdsp spandsp libbcg729 pangocairo x264 vpx aom
PKGS_net       = nice nettle openssl libsrtp2 usrsctp glib-2.0
PKGS_signaling = libwebsockets jansson sofia-sip-ua-glib glib-2.0 openssl zlib
PKGS_storage   = sqlite3 libavformat libavcodec libavutil libswscale glib-2.0
PKGS_room      = glib-2.0
PKGS_app       = yaml-0.1 glib-2.0 openssl jansson
LIBS_app       = -largon2
LIBS_mixer     = -lyuv -lm
LIBS_storage   = -largon2

MODULES = base rtp mixer net room signaling storage app
PKGS    = $(sort $(foreach m,$(MODULES),$(PKGS_$(m))) poppler-glib cairo)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null | sed 's/-I/-isystem /g')

override CPPFLAGS += -D_GNU_SOURCE -I. -MMD -MP $(PKG_CFLAGS)
override CFLAGS   += -std=c11 $(WARN) -fno-omit-frame-pointer -pthread
override LDFLAGS  += -pthread -Wl,--as-needed

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
# clang: libFuzzer; the warnings are gcc's business (and clang's in `make lint`)
ifeq ($(VARIANT),fuzz)
override CFLAGS  += -O1 -w -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
override LDFLAGS += -fsanitize=address,undefined
endif

# Sources by module; a library may use those to its right in LINK_….
SRC_base      = $(wildcard mcu/base/*.c)
SRC_rtp       = $(wildcard mcu/rtp/*.c)
SRC_net       = $(wildcard mcu/net/*.c)
SRC_room      = $(wildcard mcu/room/*.c)
SRC_mixer     = $(wildcard mixer/audio/*.c mixer/video/*.c mixer/codec/*.c)
SRC_signaling = $(wildcard signaling/*.c)
SRC_storage   = $(wildcard storage/*.c)
SRC_app       = $(filter-out mcu/main.c,$(wildcard mcu/*.c)) mcu/media/wire.c mcu/media/sandbox.c
LINK_base      = base
LINK_rtp       = rtp base
LINK_mixer     = mixer base
LINK_net       = net rtp base
LINK_room      = room net rtp mixer base
LINK_signaling = signaling base
LINK_storage   = storage base
LINK_app       = app signaling storage room net rtp mixer base

define module_rules
OBJ_$(1) = $$(SRC_$(1):%.c=$$(BUILD)/obj/%.o)
$$(BUILD)/lib$(1).a: $$(OBJ_$(1))
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call module_rules,$(m))))

libs_of = $(foreach l,$(LINK_$(1)),$(BUILD)/lib$(l).a)
sys_of  = $(if $(strip $(foreach l,$(LINK_$(1)),$(PKGS_$(l)))),$(shell pkg-config --libs $(sort $(foreach l,$(LINK_$(1)),$(PKGS_$(l)))))) $(foreach l,$(LINK_$(1)),$(LIBS_$(l)))

.PHONY: all run test unit integration e2e bench fuzz fuzz-replay fuzz-coverage asan tsan sanitize lint format coverage install clean help
.DEFAULT_GOAL := all

all: have-packages $(BUILD)/mcu $(BUILD)/mcu-media $(BUILD)/mcu-bot $(BUILD)/prompts/.made ## build the server and the load bot

.PHONY: have-packages
have-packages:
	@pkg-config --exists $(PKGS) || { echo 'Packages are missing: `make deps-run` installs them.'; exit 1; }

$(BUILD)/mcu: $(BUILD)/obj/mcu/main.o $(call libs_of,app)
	@echo "  LINK $@"
	@rm -rf $@
	@$(CC) $(LDFLAGS) -o $@ $^ $(call sys_of,app)

# What opens the files of strangers, one process each.
PKGS_media = poppler-glib cairo libavformat libavcodec libavutil libswscale libswresample
MEDIA_SRC  = $(wildcard mcu/media/*.c)
$(BUILD)/mcu-media: $(MEDIA_SRC:%.c=$(BUILD)/obj/%.o)
	@echo "  LINK $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs $(PKGS_media)) -lm

# What callers are told, spoken by espeak-ng.
$(BUILD)/prompt-maker: $(BUILD)/obj/prompts/maker.o
	@echo "  LINK $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -lm
$(BUILD)/prompts/.made: prompts/make.sh $(wildcard prompts/*.txt) $(BUILD)/prompt-maker
	@echo "  SAY  $(@D)"
	@prompts/make.sh $(BUILD)/prompt-maker $(@D)
	@touch $@

# The load bot shares no code with the server.
PKGS_bot = nice openssl libsrtp2 glib-2.0 jansson libavformat libavcodec libavutil opus
BOT_SRC  = $(wildcard tests/load/*.c)
$(BUILD)/mcu-bot: $(BOT_SRC:%.c=$(BUILD)/obj/%.o)
	@echo "  LINK $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs $(PKGS_bot)) -lm

# Floors of the benches: programs that do only what is unavoidable; telephones as a
# load; and what compares a picture with its sources.
FLOORS = room_floor audio_floor fanout_floor phones_floor phones_load rtsp_load mosaic_psnr
PARTS_room_floor   = input media audio
PARTS_audio_floor  = media audio
PARTS_fanout_floor = viewers srtp udp
PARTS_phones_floor = phones udp
PARTS_phones_load  = phones sip_uac
PARTS_rtsp_load    = udp
PARTS_mosaic_psnr  = input media
PKGS_floors = libavformat libavcodec libavutil libswscale opus libcrypto
define floor_rules
$(BUILD)/$(1): $(patsubst %,$(BUILD)/obj/tests/bench/%.o,$(1) $(PARTS_$(1)))
	@echo "  LINK $$@"
	@$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(shell pkg-config --libs $$(PKGS_floors)) -lyuv -lm
endef
$(foreach f,$(FLOORS),$(eval $(call floor_rules,$(f))))
# A registry full of recordings that is searched, by the server's own functions.
$(BUILD)/search_load: $(BUILD)/obj/tests/bench/search_load.o $(call libs_of,storage)
	@echo "  LINK $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(call sys_of,storage) -lm
# The registry under load, and SQLite alone.
$(BUILD)/registry: $(BUILD)/obj/tests/bench/registry.o $(call libs_of,storage)
	@echo "  LINK $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(call sys_of,storage)
.PHONY: floors
floors: $(FLOORS:%=$(BUILD)/%) $(BUILD)/search_load $(BUILD)/registry

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
# What the binary knows about where it came from; rebuilt when that changes.
PREFIX ?= /usr/local
$(BUILD)/obj/mcu/options.o: override CPPFLAGS += -DMCU_VERSION='"$(VERSION)"' \
	-DMCU_WEB_PATH='"$(PREFIX)/share/mcu/web"' -DMCU_PROMPTS_PATH='"$(PREFIX)/share/mcu/prompts"'
$(BUILD)/obj/mcu/options.o: $(BUILD)/options.stamp
$(BUILD)/obj/mcu/openapi.o: signaling/openapi.yaml
$(BUILD)/options.stamp: FORCE
	@mkdir -p $(@D); echo '$(VERSION) $(PREFIX)' | cmp -s - $@ || echo '$(VERSION) $(PREFIX)' >$@
.PHONY: FORCE
FORCE:

# Unit tests: tests/<source folder>/test_*.c, one program each, linked with the
# module under test and what is below it.
SUPPORT_OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/support/*.c))
define test_rules
TESTS_$(1) = $$(patsubst %.c,$$(BUILD)/%,$$(wildcard $(2:%=%/test_*.c)))
$$(TESTS_$(1)): $$(BUILD)/%: $$(BUILD)/obj/%.o $$(SUPPORT_OBJ) $$(call libs_of,$(1))
	@mkdir -p $$(@D)
	@echo "  LINK $$@"
	@$$(CC) $$(LDFLAGS) -o $$@ $$^ -lcmocka $$(call sys_of,$(1)) -lm
.PHONY: unit-$(1)
unit-$(1): $$(TESTS_$(1))
	@tests/run-unit.sh $$(TESTS_$(1))
endef
# Allocations of our own objects are counted there, apart from those of libraries.
COUNTING = $(shell grep -ls '"tests/support/alloc_count.h"' tests/mcu/*/test_*.c tests/mixer/*/test_*.c)
$(COUNTING:%.c=$(BUILD)/%): override LDFLAGS += \
	$(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc posix_memalign strdup)
comma := ,
$(eval $(call test_rules,base,tests/mcu/base))
$(eval $(call test_rules,rtp,tests/mcu/rtp))
$(eval $(call test_rules,net,tests/mcu/net))
$(eval $(call test_rules,room,tests/mcu/room))
$(eval $(call test_rules,mixer,tests/mixer/audio tests/mixer/video tests/mixer/codec))
$(eval $(call test_rules,signaling,tests/signaling))
$(eval $(call test_rules,storage,tests/storage))
$(eval $(call test_rules,app,tests/mcu))
# The longest ones first: they run side by side.
ALL_TESTS = $(foreach m,net app $(filter-out net app,$(MODULES)),$(TESTS_$(m)))

# Public targets install what is missing first. The compiler flags come from
# pkg-config when this file is read, hence the work is done by a second make, by
# targets that begin with "do-".
JOBS ?= $(shell nproc)
SUB   = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))
# Build folder of a variant: build/asan, or beside the folder that was named.
beside = $(if $(filter build/release,$(BUILD)),build/$(1),$(BUILD)-$(1))
SUB_VARIANT = $(SUB) VARIANT=$(1) BUILD=$(call beside,$(1))

export ASAN_OPTIONS  = detect_stack_use_after_return=1:strict_string_checks=1
export LSAN_OPTIONS  = suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS = print_stacktrace=1
export TSAN_OPTIONS  = suppressions=$(CURDIR)/tests/tsan.supp:print_suppressions=0:second_deadlock_stack=1
# GLib's slices pass memory between threads unseen; malloc's hand-over is seen.
ifneq ($(filter asan tsan,$(VARIANT)),)
export G_SLICE = always-malloc
endif
# For the test scripts.
RUN_ENV = MCU_BIN=$(BUILD)/mcu BOT_BIN=$(BUILD)/mcu-bot MCU_VARIANT=$(VARIANT)

.PHONY: deps-run deps-test deps-lint
deps-run deps-test deps-lint: deps-%:
	@scripts/install-deps.sh $*

run: deps-run ## install what is missing, build and start the server
	+@$(SUB) all
	@exec $(BUILD)/mcu $(ARGS)

test: deps-test ## everything: unit tests, fuzz corpus, integration, browser
	+@$(SUB) all do-tests
	+@$(SUB) do-unit
	+@$(SUB) do-fuzz-replay
	+@$(SUB) do-integration
	+@$(SUB) do-e2e
	@echo "make test: all passed"

unit: deps-test ## the unit tests alone (the inner loop); unit-rtp: those of a module
	+@$(SUB) do-unit
integration: deps-test ## server and load bots together
	+@$(SUB) do-integration
e2e: deps-test ## real pages in headless Chromium
	+@$(SUB) do-e2e
fuzz-replay: deps-test ## the fuzzers' corpus once, under asan
	+@$(SUB) do-fuzz-replay
bench: deps-test ## prints "bench NAME VALUE UNIT" lines; ONLY=room4_ratio,join_p95 QUICK=1
	+@$(SUB) all floors
	@$(RUN_ENV) FLOOR_DIR=$(BUILD) ONLY=$(ONLY) QUICK=$(QUICK) tests/bench/run.sh
fuzz: deps-lint ## all fuzzers in turn for SECONDS=60 altogether (libFuzzer)
	+@$(call SUB_VARIANT,fuzz) CC=clang do-fuzz
fuzz-coverage: deps-test ## what the fuzzers' seeds reach of the parsers
	+@$(call SUB_VARIANT,coverage) do-fuzz-coverage
asan: deps-test ## unit and integration tests under address and undefined sanitizers
	+@$(call SUB_VARIANT,asan) do-unit
	+@$(call SUB_VARIANT,asan) do-integration
tsan: deps-test ## unit and integration tests under the thread sanitizer
	+@$(call SUB_VARIANT,tsan) do-unit
	+@$(call SUB_VARIANT,tsan) do-integration
sanitize: deps-test ## the unit tests alone, under both sanitizers
	+@$(call SUB_VARIANT,asan) do-unit
	+@$(call SUB_VARIANT,tsan) do-unit
coverage: deps-test ## lines that the unit tests reach, by file
	+@$(call SUB_VARIANT,coverage) do-coverage
lint: deps-lint ## warnings, thread roles, include direction, sizes
	+@$(SUB) do-lint
format: deps-lint ## clang-format over all C sources
	@clang-format -i $$(git ls-files '*.c' '*.h')

.PHONY: do-tests do-unit do-integration do-e2e do-fuzz do-fuzz-replay do-coverage do-lint
do-tests: $(ALL_TESTS)
do-unit: do-tests
	@tests/run-unit.sh $(ALL_TESTS)
do-integration: all
	@$(RUN_ENV) tests/run-integration.sh
do-e2e: all
	@if [ -x tests/e2e/run.sh ]; then $(RUN_ENV) tests/e2e/run.sh; else echo "e2e: no tests yet"; fi
do-coverage: do-tests
	@find $(BUILD) -name '*.gcda' -delete
	@tests/run-unit.sh $(ALL_TESTS)
	@scripts/coverage.sh $(BUILD)
do-lint: all do-tests
	@LINT_CPPFLAGS='-D_GNU_SOURCE -I. $(PKG_CFLAGS)' LINT_WARN='$(WARN)' JOBS=$(JOBS) scripts/lint.sh

# Fuzzers: tests/fuzz/fuzz_NAME.c with seeds in tests/fuzz/corpus/NAME/. They link
# everything; the archives give each only what it uses.
FUZZ_NAMES  = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAY_BINS = $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/replay_%)
FUZZ_BINS   = $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/fuzz_%)
SECONDS    ?= 60
$(REPLAY_BINS): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/obj/tests/fuzz/replay_main.o \
		$(BUILD)/obj/tests/fuzz/fuzz_%.o $(call libs_of,app)
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(call sys_of,app) -lm
$(FUZZ_BINS): $(BUILD)/%: $(BUILD)/obj/%.o $(call libs_of,app)
	@mkdir -p $(@D)
	@echo "  LINK $@"
	@$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(call sys_of,app) -lm
do-fuzz-coverage: replay-programs
	@find $(BUILD) -name '*.gcda' -delete
	@tests/fuzz/replay.sh $(BUILD)/tests/fuzz $(FUZZ_NAMES) >$(BUILD)/replay.log
	@scripts/fuzz-coverage.sh $(BUILD)
.PHONY: replay-programs do-fuzz-coverage
replay-programs: $(REPLAY_BINS)
do-fuzz-replay:
	+@$(call SUB_VARIANT,asan) replay-programs
	@tests/fuzz/replay.sh $(call beside,asan)/tests/fuzz $(FUZZ_NAMES)
do-fuzz: $(FUZZ_BINS)
	@tests/fuzz/run.sh $(BUILD)/tests/fuzz $(SECONDS) $(FUZZ_NAMES)

SYSCONFDIR ?= /etc
install: ## PREFIX=/usr/local DESTDIR=: program, page, mcu.yaml, systemd unit
	+@$(SUB) all
	install -D $(BUILD)/mcu $(DESTDIR)$(PREFIX)/bin/mcu
	install -D $(BUILD)/mcu-media $(DESTDIR)$(PREFIX)/bin/mcu-media
	cd web && find . -type f -exec install -Dm644 {} $(DESTDIR)$(PREFIX)/share/mcu/web/{} \;
	cd $(BUILD)/prompts && find . -name '*.wav' -exec install -Dm644 {} $(DESTDIR)$(PREFIX)/share/mcu/prompts/{} \;
	[ -e $(DESTDIR)$(SYSCONFDIR)/mcu/mcu.yaml ] || \
		install -Dm644 mcu.yaml $(DESTDIR)$(SYSCONFDIR)/mcu/mcu.yaml
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|; s|@SYSCONFDIR@|$(SYSCONFDIR)|' scripts/mcu.service.in \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/mcu.service

clean: ## remove everything that was built
	rm -rf build

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
