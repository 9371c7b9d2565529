pkglibexec_PROGRAMS += postern-dialer
postern_dialer_SOURCES = \
	workers/dialer/attempt.c workers/dialer/attempt.h \
	workers/dialer/dialer.c \
	workers/dialer/resolve.c workers/dialer/resolve.h
postern_dialer_LDADD = $(WORKER_LIBS) -lpthread
