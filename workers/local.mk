noinst_LIBRARIES += libpostern_worker.a
libpostern_worker_a_SOURCES = workers/worker.c workers/worker.h
WORKER_LIBS = libpostern_worker.a $(COMMON_LIBS)
