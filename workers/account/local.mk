# The worker of one account.
include workers/account/stages.mk

pkglibexec_PROGRAMS += postern-account
postern_account_SOURCES = \
	workers/account/access.c workers/account/access.h \
	workers/account/account.h \
	workers/account/act.h \
	workers/account/act_react.c \
	workers/account/act_read.c \
	workers/account/action_in.c \
	workers/account/agents.c workers/account/agents.h \
	workers/account/api.c workers/account/api.h \
	workers/account/batch.c workers/account/batch.h \
	workers/account/callbacks.c workers/account/callbacks.h \
	workers/account/check.c workers/account/check.h \
	workers/account/check_rights.c workers/account/check_rights.h \
	workers/account/channels.c workers/account/channels.h \
	workers/account/clock.c workers/account/clock.h \
	workers/account/confirm.c workers/account/confirm.h \
	workers/account/cmd.c workers/account/cmd.h \
	workers/account/cmd_int.h workers/account/cmd_set.c \
	workers/account/cmd_show.c workers/account/cmd_table.c \
	workers/account/conn.c workers/account/conn.h \
	workers/account/ctl.c workers/account/ctl.h \
	workers/account/ctl_act.c workers/account/ctl_op.h \
	workers/account/ctl_files.c workers/account/ctl_files.h \
	workers/account/ctl_send.c \
	workers/account/directory.c \
	workers/account/draft.c workers/account/draft.h \
	workers/account/drops.c workers/account/drops.h \
	workers/account/entry.c workers/account/entry.h \
	workers/account/gap_int.h \
	workers/account/gap_page.c workers/account/gap_page.h \
	workers/account/gap_posts.c \
	workers/account/gapfill.c workers/account/gapfill.h \
	workers/account/gates.c workers/account/gates.h \
	workers/account/hook_in.c \
	workers/account/intake.c workers/account/intake.h \
	workers/account/intake_int.h \
	workers/account/judge.c workers/account/judge.h \
	workers/account/interact.c workers/account/interact.h \
	workers/account/jobs.c workers/account/jobs.h \
	workers/account/jobs_fire.c workers/account/jobs_int.h \
	workers/account/lanes.c workers/account/lanes.h \
	workers/account/lanes_int.h workers/account/lanes_run.c \
	workers/account/lookup.c workers/account/lookup.h \
	workers/account/main.c \
	workers/account/media_in.c workers/account/media_in.h \
	workers/account/media_out.c workers/account/media_out.h \
	workers/account/media_url.c workers/account/media_url.h \
	workers/account/message_media.c \
	workers/account/message_read.c \
	workers/account/message_send.c \
	workers/account/message_tool.c workers/account/message_tool.h \
	workers/account/message_tool_int.h \
	workers/account/names.c workers/account/names.h \
	workers/account/notes.c workers/account/notes.h \
	workers/account/outbox.c workers/account/outbox.h \
	workers/account/outbox_send.c workers/account/outbox_int.h \
	workers/account/pairing.c workers/account/pairing.h \
	workers/account/prepare.c workers/account/prepare.h \
	workers/account/reacted.c workers/account/reacted.h \
	workers/account/recheck.c workers/account/recheck.h \
	workers/account/recover.c workers/account/recover.h \
	workers/account/preview.c workers/account/preview.h \
	workers/account/preview_end.c workers/account/preview_int.h \
	workers/account/picker.c workers/account/picker.h \
	workers/account/resolve.c workers/account/resolve.h \
	workers/account/seen.c workers/account/seen.h \
	workers/account/selftest.c workers/account/selftest.h \
	workers/account/sessinfo.c workers/account/sessinfo.h \
	workers/account/standing.c workers/account/standing.h \
	workers/account/slash.c workers/account/slash.h \
	workers/account/slash_check.c workers/account/slash_int.h \
	workers/account/slash_in.c workers/account/slash_reg.c \
	workers/account/storelink.c workers/account/storelink.h \
	workers/account/sweep.c workers/account/sweep.h \
	workers/account/trim.c workers/account/trim.h \
	workers/account/turn.c workers/account/turn.h \
	workers/account/turn_end.c workers/account/turn_end.h \
	workers/account/turn_place.c workers/account/turn_place.h \
	workers/account/typing.c workers/account/typing.h \
	workers/account/users.c workers/account/users.h
postern_account_LDADD = libpostern_stages.a $(SIGNED_LIBS) $(NET_LIBS) \
	$(WORKER_LIBS)
