# The pure stages of a message: no I/O, nothing but libpostern_common's
# fields and log.
noinst_LIBRARIES += libpostern_stages.a
libpostern_stages_a_SOURCES = \
	workers/account/allow.c workers/account/allow.h \
	workers/account/block.c workers/account/block.h \
	workers/account/buttons.c workers/account/buttons.h \
	workers/account/buttons_text.c \
	workers/account/cache.c workers/account/cache.h \
	workers/account/chunk.c workers/account/chunk.h \
	workers/account/cold.c workers/account/cold.h \
	workers/account/command.c workers/account/command.h \
	workers/account/context.c workers/account/context.h \
	workers/account/decode.c workers/account/decode.h \
	workers/account/decode_impl.h \
	workers/account/decode_post.c \
	workers/account/dm_retry.c workers/account/dm_retry.h \
	workers/account/directive.c workers/account/directive.h \
	workers/account/draft_text.c workers/account/draft_text.h \
	workers/account/echo.c workers/account/echo.h \
	workers/account/emoji.c workers/account/emoji.h \
	workers/account/fence.c workers/account/fence.h \
	workers/account/figures.c workers/account/figures.h \
	workers/account/gate.c workers/account/gate.h \
	workers/account/inbound.c workers/account/inbound.h \
	workers/account/lane.c workers/account/lane.h \
	workers/account/media_type.c workers/account/media_type.h \
	workers/account/mention.c workers/account/mention.h \
	workers/account/normalise.c workers/account/normalise.h \
	workers/account/outtext.c workers/account/outtext.h \
	workers/account/pairing_text.c workers/account/pairing_text.h \
	workers/account/pending.c workers/account/pending.h \
	workers/account/pending_text.c workers/account/pending_text.h \
	workers/account/pipeline.c workers/account/pipeline.h \
	workers/account/places.c workers/account/places.h \
	workers/account/policy.c workers/account/policy.h \
	workers/account/policy_agents.c \
	workers/account/policy_compile.c \
	workers/account/policy_impl.h \
	workers/account/progress_text.c workers/account/progress_text.h \
	workers/account/reasoning.c workers/account/reasoning.h \
	workers/account/reason.c workers/account/reason.h \
	workers/account/replytag.c workers/account/replytag.h \
	workers/account/route.c workers/account/route.h \
	workers/account/rowdata.c workers/account/rowdata.h \
	workers/account/session_place.c workers/account/session_place.h \
	workers/account/session_key.c workers/account/session_key.h \
	workers/account/shallow.c workers/account/shallow.h \
	workers/account/slash_text.c workers/account/slash_text.h \
	workers/account/quote.c workers/account/quote.h \
	workers/account/stream_cfg.c workers/account/stream_cfg.h \
	workers/account/surface.c workers/account/surface.h \
	workers/account/table_row.c workers/account/table_row.h \
	workers/account/tables.c workers/account/tables.h \
	workers/account/thread_posts.c workers/account/thread_posts.h \
	workers/account/target.c workers/account/target.h \
	workers/account/tool_args.c workers/account/tool_args.h
STAGES_LIBS = libpostern_stages.a $(COMMON_LIBS)
