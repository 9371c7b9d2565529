# The worker of one account.
include workers/account/stages.mk

pkglibexec_PROGRAMS += postern-account
postern_account_SOURCES = \
	workers/account/access.c workers/account/access.h \
	workers/account/account.h \
	workers/account/agents.c workers/account/agents.h \
	workers/account/api.c workers/account/api.h \
	workers/account/batch.c workers/account/batch.h \
	workers/account/channels.c workers/account/channels.h \
	workers/account/clock.c workers/account/clock.h \
	workers/account/conn.c workers/account/conn.h \
	workers/account/conn_int.h workers/account/conn_talk.c \
	workers/account/drops.c workers/account/drops.h \
	workers/account/gates.c workers/account/gates.h \
	workers/account/intake.c workers/account/intake.h \
	workers/account/intake_int.h \
	workers/account/jobs.c workers/account/jobs.h \
	workers/account/jobs_fire.c \
	workers/account/jobs_int.h \
	workers/account/judge.c workers/account/judge.h \
	workers/account/lanes.c workers/account/lanes.h \
	workers/account/lanes_int.h \
	workers/account/lanes_run.c \
	workers/account/lookup.c workers/account/lookup.h \
	workers/account/main.c \
	workers/account/names.c workers/account/names.h \
	workers/account/outbox.c workers/account/outbox.h \
	workers/account/outbox_int.h \
	workers/account/outbox_send.c \
	workers/account/pairing.c workers/account/pairing.h \
	workers/account/prepare.c workers/account/prepare.h \
	workers/account/recheck.c workers/account/recheck.h \
	workers/account/resolve.c workers/account/resolve.h \
	workers/account/seen.c workers/account/seen.h \
	workers/account/sessinfo.c workers/account/sessinfo.h \
	workers/account/standing.c workers/account/standing.h \
	workers/account/storelink.c workers/account/storelink.h \
	workers/account/trim.c workers/account/trim.h \
	workers/account/turn.c workers/account/turn.h \
	workers/account/turn_end.c workers/account/turn_end.h \
	workers/account/turn_place.c workers/account/turn_place.h \
	workers/account/users.c workers/account/users.h \
	workers/account/callback/action_in.c \
	workers/account/callback/callbacks.c \
	workers/account/callback/callbacks.h \
	workers/account/callback/confirm.c workers/account/callback/confirm.h \
	workers/account/callback/entry.c workers/account/callback/entry.h \
	workers/account/callback/hook_in.c \
	workers/account/callback/interact.c \
	workers/account/callback/interact.h \
	workers/account/callback/selftest.c \
	workers/account/callback/selftest.h \
	workers/account/callback/slash_check.c \
	workers/account/callback/slash_in.c \
	workers/account/command/cmd.c workers/account/command/cmd.h \
	workers/account/command/cmd_int.h \
	workers/account/command/cmd_set.c \
	workers/account/command/cmd_show.c \
	workers/account/command/cmd_table.c \
	workers/account/command/picker.c workers/account/command/picker.h \
	workers/account/command/slash.c workers/account/command/slash.h \
	workers/account/command/slash_int.h \
	workers/account/command/slash_reg.c \
	workers/account/ctl/check.c workers/account/ctl/check.h \
	workers/account/ctl/check_rights.c workers/account/ctl/check_rights.h \
	workers/account/ctl/ctl.c workers/account/ctl/ctl.h \
	workers/account/ctl/ctl_act.c \
	workers/account/ctl/ctl_files.c workers/account/ctl/ctl_files.h \
	workers/account/ctl/ctl_op.h \
	workers/account/ctl/ctl_send.c \
	workers/account/ctl/directory.c \
	workers/account/gap/gap_int.h \
	workers/account/gap/gap_page.c workers/account/gap/gap_page.h \
	workers/account/gap/gap_posts.c \
	workers/account/gap/gapfill.c workers/account/gap/gapfill.h \
	workers/account/gap/reacted.c workers/account/gap/reacted.h \
	workers/account/history/notes.c workers/account/history/notes.h \
	workers/account/history/recover.c workers/account/history/recover.h \
	workers/account/media/media_in.c workers/account/media/media_in.h \
	workers/account/media/media_out.c workers/account/media/media_out.h \
	workers/account/media/media_url.c workers/account/media/media_url.h \
	workers/account/preview/draft.c workers/account/preview/draft.h \
	workers/account/preview/preview.c workers/account/preview/preview.h \
	workers/account/preview/preview_end.c \
	workers/account/preview/preview_int.h \
	workers/account/preview/sweep.c workers/account/preview/sweep.h \
	workers/account/preview/typing.c workers/account/preview/typing.h \
	workers/account/tool/act.h \
	workers/account/tool/act_pin.c \
	workers/account/tool/act_react.c \
	workers/account/tool/act_read.c \
	workers/account/tool/message_broadcast.c \
	workers/account/tool/message_media.c \
	workers/account/tool/message_may.c \
	workers/account/tool/message_send.c \
	workers/account/tool/message_tool.c \
	workers/account/tool/message_tool.h \
	workers/account/tool/message_tool_int.h
postern_account_LDADD = libpostern_stages.a $(SIGNED_LIBS) $(NET_LIBS) \
	$(WORKER_LIBS)
