# Tests that compare with the vectors of tests/vectors: make check-vectors.
VECTOR_TESTS =
check_LIBRARIES = libpostern_vectors.a
libpostern_vectors_a_SOURCES = tests/unit/vectors.c tests/unit/vectors.h
libpostern_vectors_a_CPPFLAGS = $(AM_CPPFLAGS) \
	-DVECTORS_DIR='"$(abs_top_srcdir)/tests/vectors"'
VECTOR_LIBS = libpostern_vectors.a libpostern_stages.a $(UNIT_LIBS)
EXTRA_DIST += tests/vectors
.PHONY: check-vectors
check-vectors: $(VECTOR_TESTS)
	@for t in $(VECTOR_TESTS); do ./$$t || exit 1; done
VECTOR_TESTS += tests/unit/test_policy
tests_unit_test_policy_SOURCES = tests/unit/test_policy.c
tests_unit_test_policy_LDADD = $(VECTOR_LIBS)
VECTOR_TESTS += tests/unit/test_mention
tests_unit_test_mention_SOURCES = tests/unit/test_mention.c
tests_unit_test_mention_LDADD = $(VECTOR_LIBS)
VECTOR_TESTS += tests/unit/test_gate
tests_unit_test_gate_SOURCES = tests/unit/test_gate.c
tests_unit_test_gate_LDADD = $(VECTOR_LIBS)
VECTOR_TESTS += tests/unit/test_session_key
tests_unit_test_session_key_SOURCES = tests/unit/test_session_key.c
tests_unit_test_session_key_LDADD = $(VECTOR_LIBS)
VECTOR_TESTS += tests/unit/test_decode
tests_unit_test_decode_SOURCES = tests/unit/test_decode.c
tests_unit_test_decode_LDADD = $(VECTOR_LIBS)
VECTOR_TESTS += tests/unit/test_outbound_text
tests_unit_test_outbound_text_SOURCES = tests/unit/test_outbound_text.c
tests_unit_test_outbound_text_LDADD = $(VECTOR_LIBS)
VECTOR_TESTS += tests/unit/test_targets
tests_unit_test_targets_SOURCES = tests/unit/test_targets.c
tests_unit_test_targets_LDADD = $(VECTOR_LIBS)
VECTOR_TESTS += tests/unit/test_callback
tests_unit_test_callback_SOURCES = tests/unit/test_callback.c
tests_unit_test_callback_LDADD = libpostern_callback.a $(SIGNED_LIBS) \
	$(VECTOR_LIBS)
VECTOR_TESTS += tests/unit/test_signed_context
tests_unit_test_signed_context_SOURCES = tests/unit/test_signed_context.c
tests_unit_test_signed_context_LDADD = $(SIGNED_LIBS) $(VECTOR_LIBS)
VECTOR_TESTS += tests/unit/test_config_vectors
tests_unit_test_config_vectors_SOURCES = tests/unit/test_config_vectors.c
tests_unit_test_config_vectors_LDADD = libpostern_vectors.a \
	libpostern_config.a $(UNIT_LIBS) -lm
VECTOR_TESTS += tests/unit/test_buttons
tests_unit_test_buttons_SOURCES = tests/unit/test_buttons.c
tests_unit_test_buttons_LDADD = $(VECTOR_LIBS) $(SIGNED_LIBS)
VECTOR_TESTS += tests/unit/test_slash_text
tests_unit_test_slash_text_SOURCES = tests/unit/test_slash_text.c
tests_unit_test_slash_text_LDADD = $(VECTOR_LIBS)
check_PROGRAMS += $(VECTOR_TESTS)
TESTS += $(VECTOR_TESTS)
check_PROGRAMS += tests/unit/test_places
TESTS += tests/unit/test_places
tests_unit_test_places_SOURCES = tests/unit/test_places.c
tests_unit_test_places_LDADD = libpostern_stages.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_matrix
TESTS += tests/unit/test_matrix
tests_unit_test_matrix_SOURCES = tests/unit/test_matrix.c
tests_unit_test_matrix_LDADD = libpostern_stages.a $(UNIT_LIBS)
PIPELINE = tests/unit/pipeline_help.h
check_PROGRAMS += tests/unit/test_pipeline
TESTS += tests/unit/test_pipeline
tests_unit_test_pipeline_SOURCES = tests/unit/test_pipeline.c $(PIPELINE)
tests_unit_test_pipeline_LDADD = libpostern_stages.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_rules
TESTS += tests/unit/test_rules
tests_unit_test_rules_SOURCES = tests/unit/test_rules.c $(PIPELINE)
tests_unit_test_rules_LDADD = libpostern_stages.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_pipeline_speed
TESTS += tests/unit/test_pipeline_speed
tests_unit_test_pipeline_speed_SOURCES = tests/unit/test_pipeline_speed.c \
	$(PIPELINE)
tests_unit_test_pipeline_speed_LDADD = libpostern_stages.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_preview_text
TESTS += tests/unit/test_preview_text
tests_unit_test_preview_text_SOURCES = tests/unit/test_preview_text.c
tests_unit_test_preview_text_LDADD = libpostern_stages.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_tool_args
TESTS += tests/unit/test_tool_args
tests_unit_test_tool_args_SOURCES = tests/unit/test_tool_args.c
tests_unit_test_tool_args_LDADD = libpostern_stages.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_preview
TESTS += tests/unit/test_preview
tests_unit_test_preview_SOURCES = tests/unit/test_preview.c \
	workers/account/draft.c workers/account/preview.c \
	workers/account/preview_end.c
tests_unit_test_preview_CFLAGS = $(AM_CFLAGS)
tests_unit_test_preview_LDADD = libpostern_stages.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_directive
TESTS += tests/unit/test_directive
tests_unit_test_directive_SOURCES = tests/unit/test_directive.c
tests_unit_test_directive_LDADD = libpostern_stages.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_pending
TESTS += tests/unit/test_pending
tests_unit_test_pending_SOURCES = tests/unit/test_pending.c
tests_unit_test_pending_LDADD = libpostern_stages.a $(UNIT_LIBS)
