/*
 * Giving up root for good.
 */
#ifndef COMMON_PRIVDROP_H
#define COMMON_PRIVDROP_H

#include <sys/types.h>

#include <stdint.h>

struct privdrop {
	uid_t uid;
	gid_t gid;
	const char *dir; /* to chroot into; root-owned unless store's own */
	int rootless;    /* 1: started without root; only chdir and rlimits */
	int keep_root_dir; /* 1: no chroot (the dialer's resolver) */
	int threads;       /* 1: may start threads (the dialer) */
	int64_t file_max; /* bytes of a file that it may write; 0: any */
	int passes; /* 1: others live on the descriptors that it passes on */
};

/*
 * chroot, chdir, groups, uid; prove that there is no way back; rlimits (no
 * core, no new processes unless threads is set, half of the descriptors
 * unless passes is, files of no more than file_max). Fatal on any failure.
 */
void privdrop(const struct privdrop *);

#endif
