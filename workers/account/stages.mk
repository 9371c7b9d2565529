# The pure stages of a message: no I/O, nothing but libpostern_common's
# fields and log.
noinst_LIBRARIES += libpostern_stages.a
libpostern_stages_a_SOURCES = \
	workers/account/allow.c workers/account/allow.h \
	workers/account/cache.c workers/account/cache.h \
	workers/account/decode.c workers/account/decode.h \
	workers/account/decode_impl.h \
	workers/account/decode_post.c \
	workers/account/dm_retry.c workers/account/dm_retry.h \
	workers/account/echo.c workers/account/echo.h \
	workers/account/figures.c workers/account/figures.h \
	workers/account/gate.c workers/account/gate.h \
	workers/account/inbound.c workers/account/inbound.h \
	workers/account/lane.c workers/account/lane.h \
	workers/account/mention.c workers/account/mention.h \
	workers/account/normalise.c workers/account/normalise.h \
	workers/account/outtext.c workers/account/outtext.h \
	workers/account/pairing_text.c workers/account/pairing_text.h \
	workers/account/pipeline.c workers/account/pipeline.h \
	workers/account/places.c workers/account/places.h \
	workers/account/policy.c workers/account/policy.h \
	workers/account/policy_agents.c \
	workers/account/policy_compile.c \
	workers/account/policy_impl.h \
	workers/account/reason.c workers/account/reason.h \
	workers/account/route.c workers/account/route.h \
	workers/account/rowdata.c workers/account/rowdata.h \
	workers/account/session_key.c workers/account/session_key.h \
	workers/account/session_place.c workers/account/session_place.h \
	workers/account/shallow.c workers/account/shallow.h \
	workers/account/surface.c workers/account/surface.h \
	workers/account/target.c workers/account/target.h \
	workers/account/callback/buttons.c workers/account/callback/buttons.h \
	workers/account/callback/buttons_text.c \
	workers/account/command/command.c workers/account/command/command.h \
	workers/account/command/directive.c \
	workers/account/command/directive.h \
	workers/account/command/slash_text.c \
	workers/account/command/slash_text.h \
	workers/account/history/cold.c workers/account/history/cold.h \
	workers/account/history/context.c workers/account/history/context.h \
	workers/account/history/pending.c workers/account/history/pending.h \
	workers/account/history/pending_text.c \
	workers/account/history/pending_text.h \
	workers/account/history/thread_posts.c \
	workers/account/history/thread_posts.h \
	workers/account/media/media_type.c workers/account/media/media_type.h \
	workers/account/preview/block.c workers/account/preview/block.h \
	workers/account/preview/draft_text.c \
	workers/account/preview/draft_text.h \
	workers/account/preview/progress_text.c \
	workers/account/preview/progress_text.h \
	workers/account/preview/stream_cfg.c \
	workers/account/preview/stream_cfg.h \
	workers/account/text/chunk.c workers/account/text/chunk.h \
	workers/account/text/emoji.c workers/account/text/emoji.h \
	workers/account/text/fence.c workers/account/text/fence.h \
	workers/account/text/quote.c workers/account/text/quote.h \
	workers/account/text/reasoning.c workers/account/text/reasoning.h \
	workers/account/text/replytag.c workers/account/text/replytag.h \
	workers/account/text/table_row.c workers/account/text/table_row.h \
	workers/account/text/tables.c workers/account/text/tables.h \
	workers/account/tool/tool_args.c workers/account/tool/tool_args.h
STAGES_LIBS = libpostern_stages.a $(COMMON_LIBS)
