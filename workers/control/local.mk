# workers/control
pkglibexec_PROGRAMS += postern-control
postern_control_SOURCES = \
	workers/control/ask.c \
	workers/control/clients.c \
	workers/control/control.h \
	workers/control/cron.c \
	workers/control/files.c \
	workers/control/main.c \
	workers/control/metrics.c \
	workers/control/peers.c \
	workers/control/reach.c \
	workers/control/scrape.c \
	workers/control/status.c \
	workers/control/verbs.c
postern_control_LDADD = $(WORKER_LIBS)
