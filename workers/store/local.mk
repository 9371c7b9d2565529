# The database modules are a library so that unit tests link the same code.
noinst_LIBRARIES += libpostern_store.a
libpostern_store_a_SOURCES = \
	workers/store/access.c workers/store/access.h \
	workers/store/db.c workers/store/db.h \
	workers/store/db_int.h workers/store/db_open.c \
	workers/store/decision.c workers/store/decision.h \
	workers/store/group.c workers/store/group.h \
	workers/store/group_entry.c workers/store/group_int.h \
	workers/store/inbox.c workers/store/inbox.h \
	workers/store/load.c workers/store/load.h \
	workers/store/mark.c workers/store/mark.h \
	workers/store/media.c workers/store/media.h \
	workers/store/op.c workers/store/op.h \
	workers/store/op_access.c \
	workers/store/op_account.c \
	workers/store/op_admin.c \
	workers/store/op_command.c \
	workers/store/op_cron.c \
	workers/store/op_media.c \
	workers/store/op_note.c \
	workers/store/op_pairing.c \
	workers/store/op_query.c \
	workers/store/op_session_meta.c \
	workers/store/op_tool.c \
	workers/store/op_turn.c \
	workers/store/outbox.c workers/store/outbox.h \
	workers/store/peer.c workers/store/peer.h \
	workers/store/prune.c workers/store/prune.h \
	workers/store/quota.c workers/store/quota.h \
	workers/store/reply.c workers/store/reply.h \
	workers/store/service.c workers/store/service.h \
	workers/store/session.c workers/store/session.h \
	workers/store/session_meta.c workers/store/session_meta.h \
	workers/store/sql.c workers/store/sql.h \
	workers/store/store.h \
	workers/store/tool.c workers/store/tool.h
libpostern_store_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)

pkglibexec_PROGRAMS += postern-store
postern_store_SOURCES = workers/store/main.c
postern_store_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
postern_store_LDADD = libpostern_store.a $(WORKER_LIBS) $(SQLITE_LIBS)
